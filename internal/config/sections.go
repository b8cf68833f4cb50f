package config

import (
	"runtime"
	"time"

	"mailauthd/internal/redisdb"
	"mailauthd/internal/route"
	"mailauthd/internal/shadow"
	"mailauthd/internal/upstream"
)

// duration is a string such as "5s".
type duration string

func text(d time.Duration) duration { return duration(d.String()) }

// The sections as they are written in a file, and the defaults of their keys.

type listenSection struct {
	FastCGI        []string `toml:"fastcgi"`
	HTTP           []string `toml:"http"`
	Owner          string   `toml:"owner"`
	Group          string   `toml:"group"`
	Mode           string   `toml:"mode"`
	AllowedClients []string `toml:"allowed_clients"`
	Admin          []string `toml:"admin"`
	Metrics        []string `toml:"metrics"`
	StatusFull     []string `toml:"status_full"`
	Grace          duration `toml:"grace"`
}

type authSection struct {
	Methods          []string        `toml:"methods"`
	DefaultDomain    string          `toml:"default_domain"`
	FailureMessage   string          `toml:"failure_message"`
	ResponseCodes    bool            `toml:"response_codes"`
	HashConcurrency  int             `toml:"hash_concurrency"`
	AllowWeakSchemes bool            `toml:"allow_weak_schemes"`
	MaxArgon2Memory  int             `toml:"max_argon2_memory"`
	RequireTLS       *bool           `toml:"require_tls"`
	AllowNets        []string        `toml:"allow_nets"`
	DenyNets         []string        `toml:"deny_nets"`
	External         externalSection `toml:"external"`
	Secret           *secretSection  `toml:"secret"`
	ClientIP         string          `toml:"client_ip"`

	RecipientDelimiter string `toml:"recipient_delimiter"`
}

type secretSection struct {
	Header string `toml:"header"`
	File   string `toml:"file"`
}

type externalSection struct {
	UserFrom string `toml:"user_from"`
}

type resolverSection struct {
	Interval   duration `toml:"resolve_interval"`
	PreferIPv6 bool     `toml:"prefer_ipv6"`
}

type cacheSection struct {
	Size        int      `toml:"size"`
	TTL         duration `toml:"ttl"`
	NegativeTTL duration `toml:"negative_ttl"`
	StaleTTL    duration `toml:"stale_ttl"`
}

type throttleSection struct {
	NetworkLimit    int      `toml:"network_limit"`
	UserLimit       int      `toml:"user_limit"`
	PairLimit       int      `toml:"pair_limit"`
	HalfLife        duration `toml:"half_life"`
	IPv4Prefix      int      `toml:"ipv4_prefix"`
	IPv6Prefix      int      `toml:"ipv6_prefix"`
	TrustedNetworks []string `toml:"trusted_networks"`
	Penalty         duration `toml:"penalty"`
	MaxPenalty      duration `toml:"max_penalty"`
	MaxEntries      int      `toml:"max_entries"`
	Shared          bool     `toml:"shared"`
	LogOnly         bool     `toml:"log_only"`
	AuthWait        bool     `toml:"auth_wait"`
}

type redisSection struct {
	Addresses    []string `toml:"addresses"`
	MasterName   string   `toml:"master_name"`
	Username     string   `toml:"username"`
	PasswordFile string   `toml:"password_file"`
	TLS          bool     `toml:"tls"`
	CAFile       string   `toml:"ca_file"`
	ServerName   string   `toml:"server_name"`
	Prefix       string   `toml:"prefix"`
	Timeout      duration `toml:"timeout"`
	SecretFile   string   `toml:"secret_file"`

	SentinelPasswordFile string `toml:"sentinel_password_file"`
}

type logSection struct {
	File       string `toml:"file"`
	Format     string `toml:"format"`
	Timezone   string `toml:"timezone"`
	MaxSize    int    `toml:"max_size"`
	MaxAge     int    `toml:"max_age"`
	MaxBackups int    `toml:"max_backups"`
	Compress   bool   `toml:"compress"`
}

type shadowSection struct {
	URL         string   `toml:"url"`
	Answer      string   `toml:"answer"`
	Log         string   `toml:"log"`
	Timeout     duration `toml:"timeout"`
	MaxRequests int      `toml:"max_requests"`
}

type serverSection struct {
	Host   string         `toml:"host"`
	POP3   *int           `toml:"pop3"`
	IMAP   *int           `toml:"imap"`
	SMTP   *int           `toml:"smtp"`
	Weight *int           `toml:"weight"`
	Verify verifySection  `toml:"verify"`
	Master *masterSection `toml:"master"`
}

type masterSection struct {
	User         string  `toml:"user"`
	PasswordFile string  `toml:"password_file"`
	Separator    *string `toml:"separator"`
}

type verifySection struct {
	Protocol       *string   `toml:"protocol"`
	Mechanisms     []string  `toml:"mechanisms"`
	ConnectTimeout *duration `toml:"connect_timeout"`
	Timeout        *duration `toml:"timeout"`
	POP3           *int      `toml:"pop3"`
	IMAP           *int      `toml:"imap"`
	SMTP           *int      `toml:"smtp"`
	TLS            string    `toml:"tls"`
	CAFile         string    `toml:"ca_file"`
	ServerName     string    `toml:"server_name"`
	Fingerprint    string    `toml:"fingerprint"`
	AllowCleartext bool      `toml:"allow_cleartext"`
	MaxConnections *int      `toml:"max_connections"`
	Warm           int       `toml:"warm"`
	WarmTTL        *duration `toml:"warm_ttl"`
	CheckInterval  *duration `toml:"check_interval"`
}

type passdbSection struct {
	Driver                string    `toml:"driver"`
	DefaultPasswordScheme string    `toml:"default_password_scheme"`
	MaxConnections        *int      `toml:"max_connections"`
	Timeout               *duration `toml:"timeout"`

	Connect     string `toml:"connect"`
	ConnectFile string `toml:"connect_file"`
	Query       string `toml:"query"`
	DomainQuery string `toml:"domain_query"`

	URIs               []string          `toml:"uris"`
	StartTLS           bool              `toml:"starttls"`
	CAFile             string            `toml:"ca_file"`
	AuthDN             string            `toml:"auth_dn"`
	AuthDNPasswordFile string            `toml:"auth_dn_password_file"`
	Base               string            `toml:"base"`
	Scope              string            `toml:"scope"`
	Filter             string            `toml:"filter"`
	Bind               *bool             `toml:"bind"`
	BindUserDN         string            `toml:"bind_userdn"`
	Fields             map[string]string `toml:"fields"`
}

type domainSection struct {
	Servers  []string `toml:"servers"`
	Verify   *string  `toml:"verify"`
	Policy   *string  `toml:"policy"`
	MX       []string `toml:"mx"`
	CatchAll bool     `toml:"catch_all"`

	RecipientDelimiter *string `toml:"recipient_delimiter"` // "": none, even if [auth] has one

	accessSection
}

type userSection struct {
	Password         any      `toml:"password"` // a string, or an array of strings and tables
	Servers          []string `toml:"servers"`
	Login            string   `toml:"login"`
	UpstreamPassword string   `toml:"upstream_password"`
	Aliases          []string `toml:"aliases"`
	Fingerprint      any      `toml:"fingerprint"` // a string, or an array of strings
	Subject          any      `toml:"subject"`
	Master           bool     `toml:"master"`
	accessSection
}

// accessSection has the keys that domains and users have in common.
type accessSection struct {
	NoLogin    *bool     `toml:"nologin"`
	Reason     string    `toml:"reason"`
	Expires    time.Time `toml:"expires"`
	Protocols  []string  `toml:"protocols"`
	RequireTLS *bool     `toml:"require_tls"`
	AllowNets  []string  `toml:"allow_nets"`
	DenyNets   []string  `toml:"deny_nets"`
}

// Defaults that no other package defines, and bounds.
const (
	defaultLogFile        = "/var/log/mailauthd/auth.log"
	defaultFailure        = "Invalid login or password" // auth.php's
	defaultGrace          = 10 * time.Second
	defaultPOP3           = 110
	defaultIMAP           = 143
	defaultSMTP           = 25
	defaultWeight         = 1
	defaultMechanism      = "CRAM-MD5" // auth.php's
	defaultScope          = "subtree"
	defaultConnect        = upstream.ConnectTimeout
	defaultTimeout        = upstream.Timeout
	defaultMaxConnections = upstream.MaxConnections
	defaultWarmTTL        = upstream.WarmTTL
	// Dovecot remembers both for an hour. A user whose password is changed to one that was just refused
	// should not have to wait so long.
	defaultCacheTTL    = time.Hour
	defaultNegativeTTL = time.Minute
	// An argon2id hash takes 64 MiB, and twice that until it is collected. The unit
	// file's memory limit has room for this many.
	maxDefaultHashes    = 4
	defaultArgon2Memory = 1024             // MiB
	maxTimeout          = 40 * time.Second // nginx's auth_http_timeout is 60 s, of which the wait for a hash may take 20
)

func defaults() content {
	return content{
		Listen: listenSection{Mode: "0660", Grace: text(defaultGrace)},
		Auth: authSection{
			Methods:         []string{"plain", "cram-md5", "apop"},
			FailureMessage:  defaultFailure,
			HashConcurrency: min(runtime.NumCPU(), maxDefaultHashes),
			MaxArgon2Memory: defaultArgon2Memory,
		},
		Resolver: resolverSection{Interval: text(route.ResolveInterval)},
		Cache:    cacheSection{TTL: text(defaultCacheTTL), NegativeTTL: text(defaultNegativeTTL), StaleTTL: "0s"},
		Throttle: defaultThrottle(),
		Redis:    redisSection{Prefix: redisdb.DefaultPrefix, Timeout: text(redisdb.DefaultTimeout)},
		Log: logSection{
			File:       defaultLogFile,
			Format:     "legacy",
			MaxSize:    100,
			MaxAge:     30,
			MaxBackups: 10,
			Compress:   true,
		},
		Shadow: shadowSection{
			Answer:      shadow.Theirs,
			Log:         shadow.DefaultLog,
			Timeout:     text(shadow.DefaultTimeout),
			MaxRequests: shadow.DefaultMaxRequests,
		},
	}
}
