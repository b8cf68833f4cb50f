// Package shadow compares the answers of two authentication services to the same requests: ours, and those of the
// script that is to be replaced.
package shadow
