package ldapdb

// slapdConf is the configuration of the servers that tests start. DIR is the server's directory.
const slapdConf = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
TLSCACertificateFile DIR/ca.pem
TLSCertificateFile DIR/cert.pem
TLSCertificateKeyFile DIR/key.pem
sockbuf_max_incoming 1048576
password-hash {SSHA}

database mdb
suffix "dc=example"
rootdn "cn=admin,dc=example"
rootpw admin-secret
directory DIR/db
index mail,uid,objectClass eq
access to attrs=userPassword by dn.exact="cn=mailauthd,dc=example" read by anonymous auth by * none
access to * by * read
overlay ppolicy
ppolicy_default "cn=policy,dc=example"
ppolicy_use_lockout
`

// usersLDIF is the directory. SCHEME(password) stands for a hash.
const usersLDIF = `
dn: dc=example
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=mailauthd,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mailauthd
userPassword: service-secret

dn: cn=policy,dc=example
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMaxAge: 0
pwdLockout: FALSE

dn: cn=strict,dc=example
objectClass: organizationalRole
objectClass: pwdPolicy
cn: strict
pwdAttribute: userPassword
pwdMaxAge: 1
pwdMaxFailure: 2
pwdLockout: TRUE
pwdLockoutDuration: 3600

dn: ou=people,dc=example
objectClass: organizationalUnit
ou: people

# Two passwords, an alias, networks in two values, another server.
dn: uid=alice,ou=people,dc=example
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: alice@example.com
mail: a@example.com
userPassword: SSHA(alice-secret)
userPassword: CRYPT(alice-second)
roomNumber: 192.0.2.0/24
roomNumber: 198.51.100.7
departmentNumber: dovecot1
employeeType: FALSE
userPassword: SSHA(alice-third)

dn: uid=bob,ou=people,dc=example
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
mail: bob@example.com
userPassword: bob-secret
employeeType: TRUE
title: on leave

dn: uid=twin1,ou=people,dc=example
objectClass: inetOrgPerson
uid: twin1
cn: Twin
sn: T
mail: twin@example.com

dn: uid=twin2,ou=people,dc=example
objectClass: inetOrgPerson
uid: twin2
cn: Twin
sn: T
mail: twin@example.com

dn: uid=twin3,ou=people,dc=example
objectClass: inetOrgPerson
uid: twin3
cn: Twin
sn: T
mail: twin@example.com

# An unknown scheme.
dn: uid=odd,ou=people,dc=example
objectClass: inetOrgPerson
uid: odd
cn: Odd
sn: O
mail: odd@example.com
userPassword: {SECRETSCHEME}odd-secret
departmentNumber: one
departmentNumber: two

dn: uid=locked,ou=people,dc=example
objectClass: inetOrgPerson
uid: locked
cn: Locked
sn: L
mail: locked@example.com
userPassword: locked-secret
pwdPolicySubentry: cn=strict,dc=example

dn: uid=old,ou=people,dc=example
objectClass: inetOrgPerson
uid: old
cn: Old
sn: O
mail: old@example.com
userPassword: old-secret
pwdPolicySubentry: cn=strict,dc=example
pwdChangedTime: 20000101000000Z

dn: uid=nopass,ou=people,dc=example
objectClass: inetOrgPerson
uid: nopass
cn: Nobody
sn: N
mail: nopass@example.com

# A referral.
dn: ou=elsewhere,ou=people,dc=example
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example
`
