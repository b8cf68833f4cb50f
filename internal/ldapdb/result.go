package ldapdb

import (
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Result is what a bind has proved. All but Accepted refuse the login, and the client must not learn which it is.
type Result int

// The results of [DB.Bind].
const (
	Undecided       Result = iota // the zero value, with an error
	Accepted                      // the password is right
	WrongPassword                 // or the server does not say more
	NoSuchUser                    // there is no entry of that name
	Disabled                      // the account is disabled
	Locked                        // the account is locked after too many failures
	PasswordExpired               // the password is too old
	MustChange                    // the user has to choose a new password first
	AccountExpired                // the account's time is over
	NotHere                       // the account may not log in on this computer, or not in this way
	NotNow                        // the account may not log in at this hour
)

// String returns the reason for the log.
func (r Result) String() string {
	return [...]string{
		"undecided", "accepted", "wrong password", "no such user", "account disabled", "account locked", "password expired",
		"password must be changed", "account expired", "login not permitted from here", "login not permitted at this time",
	}[r]
}

// subCode finds the code of Windows in the message that Active Directory sends with the result code 49:
// "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580".
var subCode = regexp.MustCompile(`AcceptSecurityContext error, data ([0-9a-fA-F]+)\b`)

// bySubCode returns what a code of Windows means, in hex as in the message (winerror.h).
func bySubCode(code string) Result {
	switch strings.ToLower(code) {
	case "52e": // ERROR_LOGON_FAILURE
		return WrongPassword
	case "525": // ERROR_NO_SUCH_USER
		return NoSuchUser
	case "530": // ERROR_INVALID_LOGON_HOURS
		return NotNow
	case "531", "52f", "569": // ERROR_INVALID_WORKSTATION, ERROR_ACCOUNT_RESTRICTION, ERROR_LOGON_TYPE_NOT_GRANTED
		return NotHere
	case "532": // ERROR_PASSWORD_EXPIRED
		return PasswordExpired
	case "533": // ERROR_ACCOUNT_DISABLED
		return Disabled
	case "701": // ERROR_ACCOUNT_EXPIRED
		return AccountExpired
	case "773": // ERROR_PASSWORD_MUST_CHANGE
		return MustChange
	case "775": // ERROR_ACCOUNT_LOCKED_OUT
		return Locked
	}
	return Undecided // such as 51f, ERROR_NO_LOGON_SERVERS
}

// resultOf returns what the answer to a bind means. Undecided is an answer that says nothing about the password, such as
// that of a server that wants TLS. Then the login must be a temporary failure.
func resultOf(code uint16, text string, controls []ldap.Control) Result {
	switch code {
	case ldap.LDAPResultSuccess:
		return Accepted
	case ldap.LDAPResultInvalidCredentials:
		if m := subCode.FindStringSubmatch(text); m != nil {
			return bySubCode(m[1])
		}
		return byPolicy(controls)
	case ldap.LDAPResultNoSuchObject: // 389 Directory Server
		return NoSuchUser
	case ldap.LDAPResultUnwillingToPerform: // 389 Directory Server: "Account inactivated. Contact system administrator."
		if strings.Contains(text, "inactivated") {
			return Disabled
		}
	case ldap.LDAPResultConstraintViolation: // 389 Directory Server: "Exceed password retry limit. Please try later."
		if strings.Contains(text, "retry limit") {
			return Locked
		}
	}
	return Undecided
}

// byPolicy reads the control of OpenLDAP's ppolicy overlay (draft-behera-ldap-password-policy-10, section 6.2). The
// server says that an account is locked only with ppolicy_use_lockout.
func byPolicy(controls []ldap.Control) Result {
	policy, ok := ldap.FindControl(controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy)
	if !ok {
		return WrongPassword
	}
	switch policy.Error {
	case 0:
		return PasswordExpired
	case 1:
		return Locked
	case 2:
		return MustChange
	}
	return WrongPassword
}
