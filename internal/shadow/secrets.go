package shadow

import (
	"strings"

	"mailauthd/internal/authhttp"
)

// Hidden is logged in place of a text of the script that holds a secret of the request.
const Hidden = "(not logged: it contains the password or the salt)"

// usualRefusal is auth.php's text for a refusal. It tells nothing, even if the password is a word of it.
const usualRefusal = "Invalid login or password"

// Loggable returns a text that the script answered to a request, or [Hidden] if the script repeats the password in it,
// as nginx sent it or decoded, or the salt.
func Loggable(text string, q *authhttp.Request, sentPassword string) string {
	if text == usualRefusal {
		return text
	}
	for _, secret := range []string{q.Password, sentPassword, q.Salt} {
		if secret = strings.TrimSpace(secret); secret != "" && strings.Contains(text, secret) {
			return Hidden
		}
	}
	return text
}
