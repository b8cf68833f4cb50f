// Package sqldb finds users in PostgreSQL, MySQL and MariaDB.
//
// A [DB] is a directory of users, as package users describes it. [DB.Find] runs the query of the configuration, in which
// the variables of package dovecot are bound parameters, and makes a user of the rows. Nothing is remembered: every login
// asks the database.
//
// # Connection strings
//
// The words are those of the drivers, also for TLS:
//
//	pgsql  host=db1,db2 user=mailauthd password=… dbname=mail sslmode=verify-full sslrootcert=/etc/ssl/mail-ca.pem
//	       or postgres://…; several hosts are tried in turn, and target_session_attrs=read-write finds the primary
//	mysql  mailauthd:…@tcp(db1:3306)/mail?tls=true or …@unix(/run/mysqld/mysqld.sock)/mail; one host only, and the
//	       system's certificate authorities, or those of the environment's SSL_CERT_FILE
//
// PostgreSQL behind PgBouncer with pool_mode=transaction and without max_prepared_statements needs
// default_query_exec_mode=exec. The mode simple_protocol is refused, because it does not bind parameters.
//
// MySQL and MariaDB go on with a query whose deadline has passed. max_execution_time=2000 (MySQL, in milliseconds) or
// max_statement_time=2 (MariaDB, in seconds) in the connection string ends it. PostgreSQL is told to cancel it.
//
// # Queries
//
// A query is prepared once on each connection. The first statement is sent when the first user is looked up, so a
// database that is down at start keeps nothing from starting. A query that fails because its connection was closed is
// repeated once on a new connection. So the restart of a server that is not down for longer, and one that closes idle
// connections, are not seen by any login. A query must not change anything.
//
// Comparisons follow the collation of the column. Those of MySQL usually take "böb" and "bob " for "bob". So a client could
// find one user by many names, and each would count its failures anew. The query should return the column with the name as
// user, and the login then has the name of the database. Without it, MySQL has no user whose name has a space, a control
// character or a character that is not ASCII.
//
// No query is sent for a name that no client can log in with, and for one that is not UTF-8. Find returns no user then.
//
// The domain query, if there is one, says whether a domain is one of ours: it is if the query returns a row whose first
// column is neither NULL, empty, 0, f, false, n nor no.
//
// # Errors and limits
//
// Every error of the database is an error of Find: nobody becomes unknown because of it. [ErrQuery] tells those from the
// errors of one user's values and names, also if the server reports them. A lookup has a deadline (Timeout), which includes the wait for a connection, connecting and
// the repeated query. MaxConnections bounds the connections. How many logins may wait for one must be bounded by the
// caller. A result has at most [MaxRows] rows, and a value at most [MaxValue] bytes.
//
// Errors have the code of the server, and its message unless that may quote a value: messages of data errors and those
// that a function of the database raises are left out. They never contain the connection string, a password or a
// parameter.
//
// # Unknown users
//
// The password for an unknown name is verified too, against those of a decoy ([dovecot.Decoys]). The decoys are found
// users. So the decoy of a name may change while more users log in after a start.
package sqldb
