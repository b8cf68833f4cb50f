// Package ldapdb finds users in an LDAP directory (RFC 4511), and proves their passwords.
//
// [DB.Lookup] searches for the entry of a name, and makes a user of its attributes. The password is proved by its hash, as
// for a user of the map, or by [DB.Bind]: a bind as the entry. With BindUserDN the name to bind as is made of the user's
// name, and nothing is searched. Filter and BindUserDN are templates of package dovecot. Whatever of a user name goes into a
// filter or DN is escaped (RFC 4515, RFC 4514).
//
// A directory ignores case, spaces at the ends and some characters when it compares names. Here a name is looked for only
// if it has no such spelling left. So each user has one name, as in the map, and one throttle counter.
//
// # Entries
//
// Config.Fields has the attribute of each field of package dovecot. Only these attributes are requested, and with Bind not
// the password. An attribute that the entry has not got is absent. Several values of the password are several passwords, and
// several values of allow_nets or deny_nets are a list. If the field user has several values and the name is one of them, it stays as it
// is. Several values of any other field are an error, because they have no order. The values TRUE and FALSE of nologin are
// those of an LDAP boolean.
//
// The field user makes an alias: the filter finds the entry by any of its addresses, and the user has the name of that
// field. Two entries for one name are an error. Referrals are not followed: a server that answers with nothing else has not
// decided, and references to other parts of the tree are ignored, because Active Directory always sends some.
//
// # Binds
//
// A bind has one of these results, of which the client must see only whether it is Accepted:
//
//	0                          Accepted
//	49                         WrongPassword, or with the message of Active Directory:
//	   data 525                NoSuchUser
//	   data 52e                WrongPassword
//	   data 530                NotNow
//	   data 531, 52f, 569      NotHere
//	   data 532                PasswordExpired
//	   data 533                Disabled
//	   data 701                AccountExpired
//	   data 773                MustChange
//	   data 775                Locked
//	49 and the control of      PasswordExpired, Locked (only with ppolicy_use_lockout), MustChange
//	   OpenLDAP's ppolicy
//	32                         NoSuchUser, with BindUserDN; after a search the entry has just been there
//	53 "… inactivated …"       Disabled (389 Directory Server)
//	19 "… retry limit …"       Locked (389 Directory Server)
//
// Every other answer is an error, and so is none: the password was not checked. An empty password is never sent, because a
// server takes it for an anonymous bind, which succeeds (RFC 4513, section 5.1.2).
//
// # Unknown names
//
// A name without an entry costs the same requests: a search, and a bind with a random password as an entry that does not
// exist. OpenLDAP refuses that without comparing a hash, in 0.1 ms instead of, for example, 2 ms with {CRYPT}$6$. It refuses
// a locked account as quickly. So such a refusal waits until the bind has lasted as long as another one: one of the last 64
// binds that were refused for a wrong password, or if there was none, that were accepted. The name decides which. With
// BindUserDN a server does not say whether it knows the name, so every refusal waits that long. Without Bind, the hashes of a
// decoy are verified ([dovecot.Decoys]).
//
// # Connections
//
// The connections of a first pool are bound as AuthDN and only search. Those of a second only bind, because a connection
// that is bound as a user has that user's rights. Each pool has at most MaxConnections. The servers in URIs are asked in turn: the first one
// that answers is used. One that cannot be connected to three times in a row is set aside (package route), and so is one
// that refuses AuthDN. Of several servers, each gets only its share of the time that is left.
//
// A request that gets no answer is sent once more, on a new connection. A request that is slow on the only server is not. An
// answer is late if the deadline of the context or Timeout has passed; the connection is closed then. A request that has a
// connection goes on if the context is cancelled, so that clients that go away close no connections.
//
//	MaxServers      16        servers
//	MaxName         512 bytes of a name that is looked for; longer ones have no entry
//	MaxAnswer       4 MiB     from a server in answer to one request
//	MaxConnections            connections that search, and as many that bind
//	IdleTime        1 min     how long a connection is kept idle
//	MaxAge          10 min    how long a connection is used; after that the first server is tried again
//	Timeout                   for one search or bind, including all waiting
//	remembered      64        durations of binds
//
// # Errors
//
// Errors name the user, the server, the attribute or the field. They contain neither a password nor the text of a server,
// which may repeat one.
package ldapdb
