package redisdb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says where Redis is. Two clients with deeply equal configurations are the same.
type Config struct {
	Addresses []string // HOST:PORT or unix:PATH: one server, or several of a cluster, or the Sentinels if MasterName is set

	MasterName       string // the name that the Sentinels have for the master; empty: no Sentinels
	SentinelPassword string

	Username, Password string // Username is empty for the default user

	TLS        bool
	CAs        []byte // PEM; empty: those of the system
	ServerName string // that the certificate must have; empty: the host of the address

	Prefix  string        // of all keys
	Timeout time.Duration // how long the calls for one login may take in all
	Secret  []byte        // the same on all machines
}

// Defaults and limits.
const (
	DefaultPrefix     = "mailauthd:"
	DefaultTimeout    = 50 * time.Millisecond
	MinSecret         = 16 // bytes
	MaxConnections    = 32
	BackgroundTimeout = 5 * time.Second
	MinRetry          = 100 * time.Millisecond
	MaxRetry          = 5 * time.Second
	CheckInterval     = 30 * time.Second
	SiteTTL           = 90 * 24 * time.Hour
	MaxAnnouncements  = 64
)

// The library writes to standard error by itself. Each of its errors is also returned.
func init() { logging.Disable() }

// Unix is how the address of a unix socket begins.
const Unix = "unix:"

// connect makes a pool of connections. It opens none.
func connect(c Config) redis.UniversalClient {
	o := redis.UniversalOptions{
		Addrs:      c.Addresses,
		MasterName: c.MasterName,
		Username:   c.Username, Password: c.Password, SentinelPassword: c.SentinelPassword,
		Protocol:              2, // RESP3 has no use here, and not all servers speak it
		DisableIdentity:       true,
		MaxRetries:            -1,
		DialerRetries:         1,
		DialTimeout:           BackgroundTimeout, // a login does not wait for it: see Run
		ReadTimeout:           BackgroundTimeout,
		WriteTimeout:          BackgroundTimeout,
		ContextTimeoutEnabled: true,
		PoolSize:              MaxConnections + 2, // and the background
		TLSConfig:             tlsConfig(c),
		Dialer:                dialer(c),
		// Only one vendor's service has maintenance notifications.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	return redis.NewUniversalClient(&o)
}

func tlsConfig(c Config) *tls.Config {
	if !c.TLS {
		return nil
	}
	t := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if len(c.CAs) > 0 {
		t.RootCAs = x509.NewCertPool()
		t.RootCAs.AppendCertsFromPEM(c.CAs)
	}
	return t
}

// dialer returns a function that opens one connection, also to a unix socket.
func dialer(c Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	secure := tlsConfig(c)
	return func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		path, isUnix := strings.CutPrefix(addr, Unix)
		switch {
		case isUnix:
			conn, err = new(net.Dialer).DialContext(ctx, "unix", path)
		case secure != nil:
			conn, err = (&tls.Dialer{Config: secure}).DialContext(ctx, network, addr)
		default:
			conn, err = new(net.Dialer).DialContext(ctx, network, addr)
		}
		if err != nil {
			return nil, err
		}
		return checked(conn), nil
	}
}
