package auth

import (
	"strings"
	"testing"

	"mailauthd/internal/authlog"
)

// Auth-SSL-Verify is compared exactly with what nginx writes, as a defence: nginx before 1.29.7, and
// freenginx, put the PTR name of an SMTP client into the request unescaped, so the owner of the reverse zone
// can inject headers with CR LF (CVE-2026-28753). nginx's resolver lower-cases names, so such a
// header cannot spell SUCCESS. A comparison that ignores case would let anyone in as any user whose
// certificate is known.
func TestOnlyTheExactWordVerifiesACertificate(t *testing.T) {
	try := func(verify string, want told) {
		t.Run(verify, func(t *testing.T) {
			h := ask{method: "external", user: "cert@users.example"}.header()
			h.Del("Auth-Pass")
			h.Set("Auth-Ssl-Verify", verify)
			h.Set("Auth-Ssl-Fingerprint", strings.Repeat("ab", 20))
			wantTold(t, newSite(t), h, want)
		})
	}
	try("SUCCESS", ok(box, "", "up-"+marker))
	for _, verify := range []string{
		"success", "Success", "sUCCESS", "ſucceſſ", // the last is SUCCESS under Unicode's case folding
		"SUCCESS ", " SUCCESS", "SUCCESS\t", "SUCCESS:", "SUCCESS:x", "SUCCESSFUL", "SUCCES", "FAILED:SUCCESS", "SUCCESS\x00",
	} {
		try(verify, no(authlog.Policy, "client certificate: Auth-SSL-Verify"))
	}
}
