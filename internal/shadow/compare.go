package shadow

import (
	"cmp"
	"crypto/subtle"
	"strconv"
	"strings"
	"time"

	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
)

// pair is a request with both answers to it.
type pair struct {
	request  authhttp.Request
	sent     string // Auth-Pass as nginx sent it
	start    time.Time
	answered string
	response authhttp.Response // ours
	event    authlog.Event     // the same, with its reason
	reply    Reply
}

// compare reports whether the answers differ in what nginx does then. The texts of two refusals may differ.
func (p *pair) compare() (Difference, bool) {
	d := Difference{
		Method:   authlog.Escape(p.event.Method),
		User:     authlog.Escape(p.event.User),
		Protocol: authlog.Escape(p.event.Protocol),
		ClientIP: authlog.Escape(p.event.ClientIP),
		Answered: p.answered,
		Ours:     answerOf(&p.response),
		Theirs:   answerOf(&p.reply.Response),
	}
	d.Theirs.Status = authlog.Escape(Loggable(p.reply.Response.Status(), &p.request, p.sent))
	d.Theirs.User = authlog.Escape(Loggable(p.reply.Response.User, &p.request, p.sent))
	d.Ours.Reason, d.Ours.Error = p.event.FullReason(), authlog.Escape(p.event.Error)
	d.Theirs.Error = authlog.Escape(p.reply.Error)
	if d.Ours.Outcome != d.Theirs.Outcome {
		d.Quoting = p.response.Outcome == authhttp.OK && p.reply.Response.Outcome == authhttp.Reject && p.misquoted()
		return d, true
	}
	if p.response.Outcome != authhttp.OK {
		return d, false
	}
	if !p.samePassword() {
		d.Ours.Error = "Auth-Pass differs"
		return d, true
	}
	return d, d.Ours.Server != d.Theirs.Server || d.Ours.Port != d.Theirs.Port || !p.sameUser()
}

func answerOf(r *authhttp.Response) Answer {
	a := Answer{Outcome: r.Outcome.String(), Status: authlog.Escape(r.Status())}
	if r.Outcome == authhttp.OK {
		a.Server = r.Server.Addr().Unmap().String()
		a.Port = strconv.Itoa(int(r.Server.Port()))
		a.User = authlog.Escape(r.User)
	}
	return a
}

// sameUser reports whether nginx logs in to the server under the same name. Without Auth-User that is the client's.
func (p *pair) sameUser() bool {
	sent := p.request.User
	return cmp.Or(p.response.User, sent) == cmp.Or(p.reply.Response.User, sent)
}

// samePassword reports the same for the password, of which nginx has the client's own with plain only.
func (p *pair) samePassword() bool {
	sent := ""
	if p.request.Method == authhttp.Plain {
		sent = p.request.Password
	}
	ours, theirs := cmp.Or(p.response.Password, sent), cmp.Or(p.reply.Response.Password, sent)
	return subtle.ConstantTimeCompare([]byte(ours), []byte(theirs)) == 1
}

// Marks that such a script handles right, besides letters, digits and bytes of other alphabets. Of a password it also
// decodes the escapes of the second set, and quotes a space and an ampersand.
const (
	plainMarks   = "@._-+=:,/^!"
	decodedMarks = " &%#?"
)

// misquoted reports whether the name or the password has a character that a script such as auth.php decodes or quotes
// wrongly. The script decodes nothing in the name. In the password it decodes %25 before %3F, so that the two together
// become a question mark. A # at the beginning of a word is a comment to a shell.
func (p *pair) misquoted() bool {
	pass := p.request.Password
	return strings.ContainsFunc(p.request.User, otherThan(plainMarks)) ||
		strings.ContainsFunc(pass, otherThan(plainMarks+decodedMarks)) ||
		strings.Contains(pass, "%3F") || strings.HasPrefix(pass, "#")
}

func otherThan(marks string) func(rune) bool {
	return func(r rune) bool {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z' || '0' <= r && r <= '9' || r >= 0x80
		return !letter && !strings.ContainsRune(marks, r)
	}
}
