"""A mail client that logs in again and again: again.py PORT CA-FILE

Standard input holds user and password, each on a line of its own. Logs in by IMAP LOGIN until standard
input ends, and prints for each login "OK", "NO" and what the server said, or "LOST" for a connection
that ended without an answer.
"""
import imaplib
import ssl
import sys
import threading


def login(port, tls, user, password):
    try:
        client = imaplib.IMAP4_SSL("127.0.0.1", port, ssl_context=tls, timeout=30)
        client.login(user, password)
        client.logout()
        return "OK"
    except (imaplib.IMAP4.abort, OSError):
        return "LOST"
    except imaplib.IMAP4.error as e:
        return "NO " + e.args[0].decode()


def main(port, ca):
    user, password = sys.stdin.readline().rstrip("\n"), sys.stdin.readline().rstrip("\n")
    tls = ssl.create_default_context(cafile=ca)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    while not over.is_set():
        print(login(int(port), tls, user, password), flush=True)


main(*sys.argv[1:])
