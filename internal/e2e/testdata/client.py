"""A mail client: client.py imap|pop3|smtp PORT CA-FILE

Standard input holds user, password and, for smtp, a message, each on a line of its own.
Logs in by IMAP LOGIN, POP3 USER and PASS, or SMTP AUTH PLAIN; then prints the first message, or sends.
A refusal is printed to standard error as the server said it; the exit status is 67, as curl's.
"""
import imaplib
import poplib
import smtplib
import ssl
import sys

HOST = "127.0.0.1"


class TracedIMAP(imaplib.IMAP4_SSL):
    def readline(self):
        line = super().readline()
        print("<", line.decode().rstrip(), file=sys.stderr)
        return line


def imap(port, tls, user, password, _):
    client = TracedIMAP(HOST, port, ssl_context=tls)
    client.login(user, password)
    client.select()
    print(client.fetch("1", "(BODY[])")[1][0][1].decode())
    client.logout()


def pop3(port, tls, user, password, _):
    client = poplib.POP3_SSL(HOST, port, context=tls)
    client.user(user)
    client.pass_(password)
    print(b"\n".join(client.retr(1)[1]).decode())
    client.quit()


def smtp(port, tls, user, password, message):
    client = smtplib.SMTP_SSL(HOST, port, context=tls)
    client.ehlo()
    # login() would try the next mechanism after a refusal, on a connection that nginx has closed.
    client.user, client.password = user, password
    client.auth("PLAIN", client.auth_plain)
    client.sendmail(user, ["someone@example.org"], "\r\n" + message)
    client.quit()


def main(protocol, port, ca):
    user, password, message = sys.stdin.read().split("\n")
    tls = ssl.create_default_context(cafile=ca)
    try:
        {"imap": imap, "pop3": pop3, "smtp": smtp}[protocol](int(port), tls, user, password, message)
    except imaplib.IMAP4.error:
        return 67
    except poplib.error_proto as e:
        print("<", e.args[0].decode(), file=sys.stderr)
        return 67
    except smtplib.SMTPAuthenticationError as e:
        print("<", e.smtp_code, e.smtp_error.decode(), file=sys.stderr)
        return 67
    return 0


sys.exit(main(*sys.argv[1:]))
