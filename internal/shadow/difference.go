package shadow

// Difference is a request that the two services answered differently. It is one line of JSON in the shadow log. It has
// no password and no salt.
type Difference struct {
	Time     string `json:"time"` // start of the request, RFC 3339 with microseconds
	Method   string `json:"auth_method"`
	User     string `json:"auth_user"` // unescaped, then made printable as in auth.log
	Protocol string `json:"auth_protocol"`
	ClientIP string `json:"client_ip"`
	Answered string `json:"answered"` // whose answer nginx got: "theirs" or "ours"
	Ours     Answer `json:"ours"`
	Theirs   Answer `json:"theirs"`
	// Quoting reports that we let the user in, the script did not, and the name or the password has a character that
	// such scripts decode or quote wrongly.
	Quoting bool `json:"quoting,omitempty"`
}

// Answer is what one service answered. Of ours it also has the reason.
type Answer struct {
	Outcome string `json:"outcome"`               // "ok", "reject" or "tempfail"; of theirs "tempfail" is no answer
	Status  string `json:"auth_status,omitempty"` // the text that the client is told
	Server  string `json:"auth_server,omitempty"` // where nginx is sent: an IP address
	Port    string `json:"auth_port,omitempty"`
	User    string `json:"auth_user,omitempty"` // the name at the server, if it is another
	Reason  string `json:"reason,omitempty"`    // as in auth.log
	Error   string `json:"error,omitempty"`     // details for the administrator; of theirs, why there is no answer
}
