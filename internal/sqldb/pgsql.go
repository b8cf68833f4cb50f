package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

// maxIdle is how long an idle connection is kept. Firewalls forget connections after some minutes.
const maxIdle = 4 * time.Minute

// maxMessage is the largest length of a message from PostgreSQL in bytes, such as one row.
const maxMessage = 1 << 20

type pgsql struct {
	pool   *pgxpool.Pool
	secret string
	clear  []string // hosts that may be asked without TLS
}

func newPgsql(c *Config) (client, error) {
	cfg, err := pgxpool.ParseConfig(c.Connect)
	if err != nil {
		var file *fs.PathError // such as sslrootcert
		if errors.As(err, &file) {
			return nil, file
		}
		// The driver's error contains the string.
		return nil, errors.New(`not a connection string of PostgreSQL: want one such as "host=127.0.0.1 user=mailauthd password=… dbname=mail"`)
	}
	if cfg.ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol {
		return nil, errors.New("default_query_exec_mode=simple_protocol does not bind parameters: use exec")
	}
	cfg.MaxConns = int32(c.MaxConnections)
	cfg.MaxConnIdleTime = min(cfg.MaxConnIdleTime, maxIdle)
	cfg.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // run repeats the query instead
	if params := cfg.ConnConfig.RuntimeParams; params["client_encoding"] == "" {
		params["client_encoding"] = "UTF8" // names are in UTF-8, whatever the encoding of the database
	}
	// The last of several hosts must be reached before the deadline.
	each := c.Timeout / time.Duration(1+len(cfg.ConnConfig.Fallbacks))
	if t := cfg.ConnConfig.ConnectTimeout; t == 0 || t > each {
		cfg.ConnConfig.ConnectTimeout = each
	}
	cfg.ConnConfig.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		f := pgproto3.NewFrontend(r, w)
		f.SetMaxBodyLen(maxMessage)
		return f
	}
	clear := clearHosts(cfg.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, errors.New("the pool refuses the connection string") // the error may contain it
	}
	return &pgsql{pool, cfg.ConnConfig.Password, clear}, nil
}

// clearHosts returns the hosts that the driver may ask without TLS: by its default, sslmode=prefer, those that refuse TLS.
func clearHosts(c *pgx.ConnConfig) (hosts []string) {
	attempts := append([]*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	for _, a := range attempts {
		if a.TLSConfig == nil && !strings.HasPrefix(a.Host, "/") && !isLocal(a.Host) {
			hosts = append(hosts, a.Host)
		}
	}
	return hosts
}

func (p *pgsql) cleartext() []string { return p.clear }

func (p *pgsql) query(ctx context.Context, text string, args []any, limit int) (*result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args = slices.Concat([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args)
	rows, err := p.pool.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var columns []string
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	r := newResult(columns)
	for rows.Next() {
		values := rows.RawValues()
		r.add(func(i int) (string, bool) { return string(values[i]), values[i] != nil })
		if len(r.rows) == limit {
			if !rows.Next() {
				break
			}
			cancel() // or Close would read all the others
			return r, nil
		}
	}
	return r, rows.Err()
}

// stale also knows the codes of statements that the server has lost or must prepare anew, as after a change of the
// table and behind a pooler.
func (p *pgsql) stale(err error) bool {
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) {
		return false
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return true
	}
	switch e.Code {
	case "57P01", "57P02", "57P05", "25P03", // the server ended the connection
		"0A000", "26000", "42P05": // a prepared statement
		return true
	}
	return false
}

func (p *pgsql) unstorable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "22P05"
}

func (p *pgsql) state(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func (p *pgsql) reset() { p.pool.Reset() }

func (p *pgsql) explain(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return withoutSecret(serverError(e.Code, e.Message), p.secret)
	}
	var refused *pgconn.ConnectError
	if errors.As(err, &refused) { // its own text has the user and the database
		attempts := strings.Split(fmt.Sprint(errors.Unwrap(refused)), "\n") // with TLS and without; often both fail alike
		return withoutSecret("cannot connect: "+strings.Join(slices.Compact(attempts), "\n"), p.secret)
	}
	return withoutSecret(err.Error(), p.secret)
}

func (p *pgsql) connections() (open, busy int) {
	s := p.pool.Stat()
	return int(s.TotalConns()), int(s.AcquiredConns())
}

func (p *pgsql) close() { p.pool.Close() }

// fileWords finds the words of a connection string whose values are files that the driver reads.
var fileWords = regexp.MustCompile(`\b(?:sslrootcert|sslcert|sslkey|passfile)\s*=\s*('[^']*'|[^\s&]+)`)

// Files returns the files that a connection string of PostgreSQL names.
func Files(connect string) (paths []string) {
	for _, word := range fileWords.FindAllStringSubmatch(connect, -1) {
		path := strings.Trim(word[1], "'")
		if strings.HasPrefix(connect, "postgres") { // a URL
			if plain, err := url.PathUnescape(path); err == nil {
				path = plain
			}
		}
		paths = append(paths, path)
	}
	return paths
}
