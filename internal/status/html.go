package status

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"time"
)

// Refresh is how often a browser loads the page again.
const Refresh = 10 * time.Second

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleSheet string

	page = template.Must(template.New("page").Parse(pageText))
)

// ContentSecurityPolicy allows nothing but the page's own style sheet.
func ContentSecurityPolicy() string {
	hash := sha256.Sum256([]byte(styleSheet))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// view is what the page shows.
type view struct {
	*Snapshot
	Style    template.CSS
	Refresh  int // seconds
	Time     string
	Lines    []line
	Plot     plot
	Tables   []table
	FullLink string
}

// WriteHTML writes the page.
func (s *Snapshot) WriteHTML(w io.Writer, q Query) error {
	v := view{
		Snapshot: s,
		Style:    template.CSS(styleSheet),
		Refresh:  int(Refresh / time.Second),
		Time:     s.now.Format(timeLayout),
		Lines:    append(s.ownLines(), s.stateLines()...),
		Plot:     s.newPlot(),
		Tables:   s.tables(q),
		FullLink: "?html&full",
	}
	if q.Full {
		v.FullLink = "?html"
	}
	return page.Execute(w, v)
}

// Problems is what the head of the page shows in place of "no problems".
func (s *Snapshot) Problems() (list []string) {
	if s.Log.Error != "" {
		list = append(list, "the log cannot be written")
	}
	for i := range s.Servers {
		v := &s.Servers[i]
		list = append(list, v.problems(v.Name+" "+v.Protocol)...)
	}
	for i := range s.Passdbs {
		v := &s.Passdbs[i]
		list = append(list, v.problems("passdb "+v.Name)...)
	}
	if s.Redis != nil && !s.Redis.Up {
		list = append(list, "Redis is set aside")
	}
	if s.Reloads.LastError != "" {
		list = append(list, "the last reload was refused")
	}
	return list
}

func (v *Server) problems(name string) []string {
	switch {
	case !v.Up:
		return []string{name + " is set aside"}
	case v.SetAside > 0:
		return []string{"a server of " + name + " is set aside"}
	case v.Days != nil && *v.Days < 0:
		return []string{name + ": the certificate has ended"}
	case v.Days != nil && *v.Days < warnDays:
		return []string{name + ": the certificate ends soon"}
	}
	return nil
}
