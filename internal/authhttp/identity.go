package authhttp

// The headers by which mailauthd can be told from another service at the same URL. nginx sends no such request, so
// its answers do not have the second header.
const (
	Identify = "Mailauthd-Identify" // in a request, with any value: the service is to name itself
	Identity = "Mailauthd"          // in the response: version and process
)
