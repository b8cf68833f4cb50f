package shadow

import (
	"errors"
	"net/url"
	"time"
)

// Config is the [shadow] section of the configuration.
type Config struct {
	URL         *url.URL
	Answer      string        // whose answer nginx gets: Theirs or Ours
	Log         string        // the path of the shadow log
	Timeout     time.Duration // how long the script may take
	MaxRequests int           // the largest number of requests at the script, and of comparisons, at a time
}

// Values of Config.Answer.
const (
	Theirs = "theirs"
	Ours   = "ours"
)

// Defaults and bounds. PHP scripts wait 30 s for a mail server that does not answer, and web servers and nginx wait
// 50 s and 60 s for us.
const (
	DefaultLog         = "/var/log/mailauthd/shadow.log"
	DefaultTimeout     = 40 * time.Second
	MaxTimeout         = 50 * time.Second
	DefaultMaxRequests = 100
)

// ParseURL parses the URL of a script. Its errors do not contain the URL.
func ParseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New(`want the URL of the old script, such as "http://127.0.0.1:8009/mail/auth.php"`)
	}
	if u.User != nil {
		return nil, errors.New("must not have a user name or password: the script is sent what nginx sends, and nothing else")
	}
	return u, nil
}
