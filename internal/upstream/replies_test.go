package upstream

import (
	"strings"
	"testing"
)

// reply is what a server says at one stage of an otherwise good login, and the outcome that the
// login must have.
type reply struct {
	stage, says string
	want        outcome
}

// long returns a line of n bytes, line end included.
func long(n int, begin string) string {
	return begin + strings.Repeat("x", n-len(begin)-2) + "\r\n"
}

var pop3Replies = []reply{
	{"answer", "+OK\r\n", good},
	{"answer", "+OK maildrop has 3 messages\r\n", good},
	{"answer", "+ok logged in\r\n", good},
	{"answer", "+OK logged in\n", good},
	{"answer", "-ERR\r\n", reject},
	{"answer", "-ERR Authentication failed.\r\n", reject},
	{"answer", "-err authentication failed\n", reject},
	{"answer", "-ERR [AUTH] invalid user or password\r\n", reject},
	{"answer", "-ERR the mailbox [IN-USE] is not what failed\r\n", reject},
	{"answer", "-ERR no\r\n+OK yes\r\n", reject},
	{"answer", "-ERR [SYS/TEMP] Temporary authentication failure.\r\n", tempfail},
	{"answer", "-ERR [sys/temp] later\r\n", tempfail},
	{"answer", "-Err  [Sys/Temp]later\r\n", tempfail},
	{"answer", "-ERR [IN-USE] Mailbox is locked\r\n", tempfail},
	{"answer", "-ERR [in-use]\r\n", tempfail},
	{"answer", "-ERR [SYS/PERM] ask the administrator\r\n", tempfail},
	{"answer", "-ERR [LOGIN-DELAY] too often\r\n", tempfail},
	{"answer", "+OKAY\r\n", tempfail},
	{"answer", "+ OK\r\n", tempfail},
	{"answer", " +OK\r\n", tempfail},
	{"answer", "OK\r\n", tempfail},
	{"answer", "-ERROR\r\n", tempfail},
	{"answer", "+ " + challenge + "\r\n", tempfail},
	{"answer", "\r\n+OK\r\n", tempfail},
	{"answer", "\x00\xff\x15\x03\x01\r\n", tempfail},
	{"answer", "-ERR " + answer + " is not " + answer + "\r\n", reject},
	{"answer", answer + "\r\n", tempfail},
	{"answer", long(MaxLine, "+OK "), good},
	{"answer", long(MaxLine+1, "+OK "), tempfail},
	{"answer", long(MaxLine+1, "-ERR "), tempfail},
	{"answer", strings.Repeat("x", 3*MaxLine), tempfail},

	{"greeting", "-ERR [AUTH] go away\r\n", tempfail},
	{"greeting", "+OK\r\n+OK\r\n", tempfail}, // the second line is not a challenge
	{"greeting", "* OK IMAP4rev1\r\n", tempfail},
	{"greeting", "\r\n", tempfail},
	{"auth", "-ERR Unrecognized authentication mechanism\r\n", tempfail},
	{"auth", "-ERR [AUTH] no\r\n", tempfail},
	{"auth", "+OK\r\n", tempfail}, // success before the response
	{"auth", "+OK logged in\r\n+OK logged in\r\n", tempfail},
	{"auth", "+\r\n", tempfail},
	{"auth", "+ \r\n", tempfail},
	{"auth", "+ not*base64\r\n", tempfail},
	{"auth", "+ " + challenge[1:] + "\r\n", tempfail},
	{"auth", "+ " + challenge + "\r\n+OK logged in\r\n", tempfail},
	{"auth", "+ " + challenge + "\r\n+", tempfail},
	{"auth", long(MaxLine+1, "+ "), tempfail},
}

var imapReplies = []reply{
	{"answer", "001 OK\r\n", good},
	{"answer", "001 OK [CAPABILITY IMAP4rev1 IDLE] Logged in\r\n", good},
	{"answer", "001 ok done\n", good},
	{"answer", "* CAPABILITY IMAP4rev1 IDLE\r\n* OK still here\r\n001 OK Logged in\r\n", good},
	{"answer", "* NO [ALERT] disk is nearly full\r\n001 OK Logged in\r\n", good},
	{"answer", strings.Repeat("* 1 EXISTS\r\n", MaxLines-3) + "001 OK Logged in\r\n", good},
	{"answer", "001 NO\r\n", reject},
	{"answer", "001 no AUTHENTICATE failed\n", reject},
	{"answer", "001 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", reject},
	{"answer", "* OK good\r\n001 NO AUTHENTICATE failed\r\n", reject},
	{"answer", "001 NO AUTHENTICATE failed\r\n001 OK AUTHENTICATE completed\r\n", reject},
	{"answer", "001 NO not [UNAVAILABLE], but wrong\r\n", reject},
	{"answer", "001 NO [UNAVAILABLE] Temporary authentication failure.\r\n", tempfail},
	{"answer", "001 No [Unavailable] later\r\n", tempfail},
	{"answer", "001 NO [INUSE] locked\r\n", tempfail},
	{"answer", "001 NO [inuse]\r\n", tempfail},
	{"answer", "001 NO [SERVERBUG] oops\r\n", tempfail},
	{"answer", "001 NO [LIMIT] too many\r\n", tempfail},
	{"answer", "001 NO [CORRUPTION] mailbox\r\n", tempfail},
	{"answer", "001 NO [CLIENTBUG] you\r\n", tempfail},
	{"answer", "001 NO [CANNOT] not here\r\n", tempfail},
	{"answer", "001 NO [EXPIRED] password\r\n", reject},
	{"answer", "001 BAD Command received in invalid state.\r\n", tempfail},
	{"answer", "001 OKAY\r\n", tempfail},
	{"answer", "001 NOT\r\n", tempfail},
	{"answer", "001\r\n", tempfail},
	{"answer", "001OK done\r\n", tempfail},
	{"answer", "002 OK done\r\n", tempfail},
	{"answer", "002 NO failed\r\n", tempfail},
	{"answer", "0010 OK done\r\n", tempfail},
	{"answer", "OK done\r\n", tempfail},
	{"answer", "+ \r\n", tempfail},
	{"answer", "+ " + challenge + "\r\n001 OK done\r\n", tempfail},
	{"answer", "* BYE too many failures\r\n", tempfail},
	{"answer", "* bye\r\n001 OK done\r\n", tempfail},
	{"answer", "\r\n001 OK done\r\n", tempfail},
	{"answer", "\xff\xfb\x01\r\n", tempfail},
	{"answer", "001 NO " + answer + " is wrong\r\n", reject},
	{"answer", "* OK you said " + answer + "\r\n001 BAD " + answer + "\r\n", tempfail},
	{"answer", long(MaxLine, "001 OK "), good},
	{"answer", long(MaxLine+1, "001 OK "), tempfail},
	{"answer", long(MaxLine+1, "* OK ") + "001 OK done\r\n", tempfail},
	{"answer", strings.Repeat("* 1 EXISTS\r\n", MaxLines-2) + "001 OK Logged in\r\n", tempfail},

	{"greeting", "* PREAUTH already logged in\r\n", tempfail},
	{"greeting", "* BYE overloaded\r\n", tempfail},
	{"greeting", "* NO\r\n", tempfail},
	{"greeting", "001 OK\r\n", tempfail},
	{"greeting", "+OK POP3 ready\r\n", tempfail},
	{"auth", "001 NO [AUTHENTICATIONFAILED] unsupported mechanism\r\n", tempfail},
	{"auth", "001 NO [UNAVAILABLE] later\r\n", tempfail},
	{"auth", "001 BAD unknown command\r\n", tempfail},
	{"auth", "001 OK done\r\n", tempfail},
	{"auth", "001 OK done\r\n001 OK done\r\n", tempfail},
	{"auth", "* BYE\r\n", tempfail},
	{"auth", "+\r\n", tempfail},
	{"auth", "+ \r\n", tempfail},
	{"auth", "+ ====\r\n", tempfail},
	{"auth", "* OK wait\r\n+ " + challenge + "\r\n001 OK done\r\n", tempfail},
	{"auth", "+ " + challenge + "\r\n* OK\r\n", tempfail},
	{"auth", strings.Repeat("* 1 EXISTS\r\n", MaxLines), tempfail},
}

var smtpReplies = []reply{
	{"answer", "235\r\n", good},
	{"answer", "235 2.7.0 Authentication successful\n", good},
	{"answer", "235-2.7.0 Welcome\r\n235 2.7.0 Authentication successful\r\n", good},
	{"answer", "235 yes\r\n535 no\r\n", good}, // what follows is another reply
	{"answer", "535\r\n", reject},
	{"answer", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6\r\n", reject},
	{"answer", "535-5.7.8 Username and Password not accepted.\r\n535-5.7.8 Learn more\r\n535 5.7.8 at https://example.com\r\n", reject},
	{"answer", "535 no\r\n235 yes\r\n", reject},
	{"answer", "454 4.7.0 Temporary authentication failure\r\n", tempfail},
	{"answer", "421 4.3.2 closing\r\n", tempfail},
	{"answer", "432 4.7.12 A password transition is needed\r\n", tempfail},
	{"answer", "534 5.7.9 Authentication mechanism is too weak\r\n", tempfail},
	{"answer", "538 5.7.11 Encryption required\r\n", tempfail},
	{"answer", "530 5.7.0 Authentication required\r\n", tempfail},
	{"answer", "501 5.5.2 Cannot decode\r\n", tempfail},
	{"answer", "500 5.5.6 line too long\r\n", tempfail},
	{"answer", "250 OK\r\n", tempfail},
	{"answer", "334 \r\n", tempfail},
	{"answer", "334 " + challenge + "\r\n235 yes\r\n", tempfail},
	{"answer", "235-yes\r\n535 no\r\n", tempfail},
	{"answer", "535-no\r\n235 yes\r\n", tempfail},
	{"answer", "535-no\r\n\r\n", tempfail},
	{"answer", "2350 yes\r\n", tempfail},
	{"answer", "235=yes\r\n", tempfail},
	{"answer", " 235 yes\r\n", tempfail},
	{"answer", "23\r\n", tempfail},
	{"answer", "2x5 yes\r\n", tempfail},
	{"answer", "999 yes\r\n", tempfail},
	{"answer", "\r\n235 yes\r\n", tempfail},
	{"answer", "\x16\x03\x01\x02\r\n", tempfail},
	{"answer", "535 5.7.8 " + answer + "\r\n", reject},
	{"answer", "454-" + answer + "\r\n454 " + answer + "\r\n", tempfail},
	{"answer", long(MaxLine, "235 "), good},
	{"answer", long(MaxLine+1, "235 "), tempfail},
	{"answer", strings.Repeat("235-x\r\n", MaxLines-7) + "235 x\r\n", good}, // 6 lines came before
	{"answer", strings.Repeat("235-x\r\n", MaxLines-6) + "235 x\r\n", tempfail},

	{"greeting", "554 5.7.1 No SMTP service here\r\n", tempfail},
	{"greeting", "535 no\r\n", tempfail},
	{"greeting", "235 yes\r\n", tempfail},
	{"greeting", "421 4.3.2 too many connections\r\n", tempfail},
	{"greeting", "+OK POP3 ready\r\n", tempfail},
	{"ehlo", "502 5.5.1 not implemented\r\n", tempfail},
	{"ehlo", "535 no\r\n", tempfail},
	{"ehlo", "250-mail.example.com\r\n250 AUTH PLAIN LOGIN\r\n", tempfail},
	{"ehlo", "250-mail.example.com\r\n250 AUTH=PLAIN LOGIN\r\n", tempfail},
	{"ehlo", "250-mail.example.com\r\n250 AUTH\r\n", tempfail},
	{"ehlo", "250-mail.example.com\r\n250 AUTH XCRAM-MD5 CRAM-MD55\r\n", tempfail},
	{"auth", "504 5.5.4 Unrecognized authentication type\r\n", tempfail},
	{"auth", "503 5.5.1 AUTH not available\r\n", tempfail},
	{"auth", "535 no\r\n", tempfail},
	{"auth", "235 yes\r\n", tempfail},
	{"auth", "235 yes\r\n235 yes\r\n", tempfail},
	{"auth", "334\r\n", tempfail},
	{"auth", "334 \r\n", tempfail},
	{"auth", "334 VXNlcm5hbWU6=\r\n", tempfail},
	{"auth", "334 " + challenge + "\r\n235 yes\r\n", tempfail},
	{"auth", "334 " + challenge + "\r\n535 no\r\n", tempfail},
	{"auth", strings.Repeat("334-x\r\n", MaxLines), tempfail},
}

func TestReplies(t *testing.T) {
	for protocol, replies := range map[string][]reply{"pop3": pop3Replies, "imap": imapReplies, "smtp": smtpReplies} {
		for _, tt := range replies {
			name := protocol + " " + tt.stage + " " + strings.ReplaceAll(tt.says, answer, "ANSWER")
			t.Run(name[:min(len(name), 60)], func(t *testing.T) {
				said, err := login(t, t.Context(), longTimeout, protocol, script(protocol, tt.stage, say(tt.says))...)
				if got := outcomeOf(err); got != tt.want {
					t.Errorf("%s (%q, %v), want %s", got, said, err, tt.want)
				}
				if notInTime(err) {
					t.Errorf("waited for more: %v", err)
				}
			})
		}
	}
}

// TestEHLOOffers checks the ways to offer CRAM-MD5, and a reply without an offer.
func TestEHLOOffers(t *testing.T) {
	for _, says := range []string{
		"250-mail.example.com\r\n250 AUTH CRAM-MD5\r\n",
		"250-mail.example.com\r\n250 AUTH=CRAM-MD5\r\n",
		"250-mail.example.com\r\n250 AUTH=LOGIN CRAM-MD5\r\n",
		"250-mail.example.com\r\n250-AUTH LOGIN\r\n250 AUTH=PLAIN CRAM-MD5\r\n",
		"250-mail.example.com\r\n250 auth cram-md5 plain\r\n",
		"250-mail.example.com\r\n250 SIZE 1000\r\n", // AUTH may be hidden
		"250 mail.example.com\r\n",
		"250\r\n",
	} {
		t.Run(says, func(t *testing.T) {
			steps := script("smtp", "ehlo", say(says), hear("AUTH CRAM-MD5"), say("334 "+challenge+"\r\n"), hear(answer), say("235 yes\r\n"))
			if _, err := login(t, t.Context(), longTimeout, "smtp", steps...); err != nil {
				t.Error(err)
			}
		})
	}
}
