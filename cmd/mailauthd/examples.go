package main

// examples returns a call of each command by its name. The usage of the command shows it.
func examples() map[string]string {
	return map[string]string{
		"serve":                "serve -config /etc/mailauthd/mailauthd.toml",
		"check":                "check -online",
		"test-login":           "test-login -protocol imap -client-ip 192.0.2.7 bob@domain1.com",
		"route":                "route -client-ip 192.0.2.7 bob@domain1.com",
		"pw":                   "pw -s ARGON2ID",
		"user add":             "user add bob@domain02.com",
		"user passwd":          "user passwd -label phone bob@domain02.com",
		"user disable":         "user disable -reason \"left in May\" bob@domain02.com",
		"user enable":          "user enable bob@domain02.com",
		"user del":             "user del bob@domain02.com",
		"user list":            "user list \"*@domain02.com\"",
		"user show":            "user show bob@domain02.com",
		"user import":          "user import -n /etc/dovecot/users",
		"migrate php":          "migrate php -o /etc/mailauthd /var/www/mail/auth.php",
		"migrate dovecot-sql":  "migrate dovecot-sql -o /etc/mailauthd /etc/dovecot/dovecot-sql.conf.ext",
		"migrate dovecot-ldap": "migrate dovecot-ldap -o /etc/mailauthd /etc/dovecot/dovecot-ldap.conf.ext",
		"migrate log":          "migrate log /var/log/httpd/auth.log",
		"shadow":               "shadow -since 2026-01-31T15:04",
		"cache flush":          "cache flush \"*@domain1.com\"",
		"log failed":           "log failed -since 2h -by address",
		"log user":             "log user -since 3d bob@domain1.com",
		"status":               "status -watch",
		"throttle show":        "throttle show bob@domain1.com",
		"throttle reset":       "throttle reset 192.0.2.7",
		"version":              "version",
	}
}
