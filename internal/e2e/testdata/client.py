"""A mail client: client.py imap|pop3|smtp|mx PORT CA-FILE [CERTIFICATE]

Standard input holds user, password and, for smtp and mx, a message, each on a line of its own.
Logs in by IMAP LOGIN, POP3 USER and PASS, or SMTP AUTH PLAIN; then prints the first message, or sends.
With CERTIFICATE, a file that may be "" for none, IMAP and SMTP log in by EXTERNAL, as user; mx sends to user without a login.
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


def imap(port, tls, user, password, _message, external):
    client = TracedIMAP(HOST, port, ssl_context=tls)
    if external:
        client.authenticate("EXTERNAL", lambda _: user.encode())
    else:
        client.login(user, password)
    client.select()
    print(client.fetch("1", "(BODY[])")[1][0][1].decode())
    client.logout()


def pop3(port, tls, user, password, _message, _external):
    client = poplib.POP3_SSL(HOST, port, context=tls)
    client.user(user)
    client.pass_(password)
    print(b"\n".join(client.retr(1)[1]).decode())
    client.quit()


def smtp(port, tls, user, password, message, external):
    client = smtplib.SMTP_SSL(HOST, port, context=tls)
    client.ehlo()
    # login() would try the next mechanism after a refusal, on a connection that nginx has closed.
    client.user, client.password = user, password
    if external:
        client.auth("EXTERNAL", lambda challenge=None: user)
    else:
        client.auth("PLAIN", client.auth_plain)
    client.sendmail(user, ["someone@example.org"], "\r\n" + message)
    client.quit()


def mx(port, tls, recipient, _password, message, _external):
    client = smtplib.SMTP(HOST, port)
    client.starttls(context=tls)
    client.sendmail("sender@example.org", [recipient], "\r\n" + message)
    client.quit()


def main(protocol, port, ca, certificate=None):
    user, password, message = sys.stdin.read().split("\n")
    tls = ssl.create_default_context(cafile=ca)
    if certificate:
        tls.load_cert_chain(certificate)
    client = {"imap": imap, "pop3": pop3, "smtp": smtp, "mx": mx}[protocol]
    try:
        client(int(port), tls, user, password, message, certificate is not None)
    except imaplib.IMAP4.error:
        return 67
    except poplib.error_proto as e:
        print("<", e.args[0].decode(), file=sys.stderr)
        return 67
    except smtplib.SMTPAuthenticationError as e:
        print("<", e.smtp_code, e.smtp_error.decode(), file=sys.stderr)
        return 67
    except smtplib.SMTPRecipientsRefused as e:
        for code, text in e.recipients.values():
            print("<", code, text.decode(), file=sys.stderr)
        return 67
    return 0


sys.exit(main(*sys.argv[1:]))
