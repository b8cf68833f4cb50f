package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/go-sql-driver/mysql"
)

type mySQL struct {
	db             *sql.DB
	maxConnections int
	secret         string

	clear []string // the host if it may be asked without TLS

	mu         sync.Mutex
	statements map[string]*sql.Stmt // by text; database/sql prepares each on every connection
}

func newMySQL(c *Config) (client, error) {
	cfg, err := mysql.ParseDSN(c.Connect)
	if err != nil { // it may contain a part of the string
		return nil, errors.New(`not a connection string of MySQL: want one such as "mailauthd:password@tcp(127.0.0.1:3306)/mail?tls=true"`)
	}
	cfg.InterpolateParams = false // parameters are bound
	cfg.MultiStatements = false
	cfg.AllowAllFiles = false
	cfg.Logger = &mysql.NopLogger{} // the errors are returned too
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, errors.New("the driver refuses the connection string") // the error may contain it
	}
	m := &mySQL{db: sql.OpenDB(connector), maxConnections: c.MaxConnections, secret: cfg.Passwd, statements: make(map[string]*sql.Stmt)}
	if host, _, err := net.SplitHostPort(cfg.Addr); err == nil && cfg.Net == "tcp" && !isLocal(host) && (cfg.TLS == nil || cfg.AllowFallbackToPlaintext) {
		m.clear = []string{host}
	}
	m.db.SetMaxOpenConns(c.MaxConnections)
	m.db.SetMaxIdleConns(c.MaxConnections)
	m.db.SetConnMaxIdleTime(maxIdle)
	return m, nil
}

func (m *mySQL) cleartext() []string { return m.clear }

func (m *mySQL) query(ctx context.Context, text string, args []any, limit int) (*result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stmt, err := m.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	r := newResult(columns)
	values := make([]sql.NullString, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		r.add(func(i int) (string, bool) { return values[i].String, values[i].Valid })
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

// prepare prepares a statement before its first use.
func (m *mySQL) prepare(ctx context.Context, text string) (*sql.Stmt, error) {
	m.mu.Lock()
	stmt := m.statements[text]
	m.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := m.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if first := m.statements[text]; first != nil { // of another login meanwhile
		stmt.Close()
		return first, nil
	}
	m.statements[text] = stmt
	return stmt, nil
}

// stale knows the numbers of errors with which the server ends a connection, or has lost a statement.
func (m *mySQL) stale(err error) bool {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		switch e.Number {
		case 1053, 1927, 4031, // the server ended the connection
			1243, 1615: // a prepared statement
			return true
		}
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op != "dial"
	}
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF)
}

// unstorable knows the number of MariaDB and of MySQL before 8.0, and that of MySQL 8.0.
func (m *mySQL) unstorable(err error) bool {
	var e *mysql.MySQLError
	return errors.As(err, &e) && (e.Number == 1267 || e.Number == 3988)
}

func (m *mySQL) state(err error) string {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return string(e.SQLState[:])
	}
	return ""
}

func (m *mySQL) reset() {
	m.db.SetMaxIdleConns(-1) // closes the idle ones
	m.db.SetMaxIdleConns(m.maxConnections)
}

func (m *mySQL) explain(err error) string {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return withoutSecret(fmt.Sprintf("error %d, %s", e.Number, serverError(string(e.SQLState[:]), e.Message)), m.secret)
	}
	return withoutSecret(err.Error(), m.secret)
}

func (m *mySQL) connections() (open, busy int) {
	s := m.db.Stats()
	return s.OpenConnections, s.InUse
}

func (m *mySQL) close() { m.db.Close() }
