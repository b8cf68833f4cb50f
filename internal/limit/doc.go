// Package limit bounds what is in use and who waits for it, in all and by client network.
package limit
