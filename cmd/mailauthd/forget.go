package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"mailauthd/internal/authlog"
)

// forget makes the running mailauthd, and by [redis] those of other machines, forget the remembered logins of the user
// that was changed, so that an old password counts nowhere. The change is not undone if it fails.
func (e *userEdit) forget() {
	admin := e.source.Listen.Admin
	if len(admin) == 0 || e.source.Cache.Size == 0 && e.source.Redis == nil {
		return
	}
	user, err := e.source.Canonical(e.user)
	if err != nil {
		return
	}
	answer, err := askAdmin(admin[0].Name, http.MethodPost, "/cache/flush?mask="+url.QueryEscape(user))
	switch {
	case err == nil:
		fmt.Fprintf(e.stdout, "remembered logins of %s: %s\n", authlog.Escape(user), oneLine(answer))
	case e.source.Redis != nil || errors.Is(err, fs.ErrPermission): // else no mailauthd runs, and none remembers anything
		fmt.Fprintf(e.stderr, "remembered logins of %s are not forgotten: %v; later run: mailauthd cache flush %s\n",
			authlog.Escape(user), err, authlog.Escape(user))
	}
}
