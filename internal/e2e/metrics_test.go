package e2e

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// metrics returns the values at mailauthd's admin socket, by name and labels.
func metrics(tb testing.TB, s site) map[string]float64 {
	tb.Helper()
	client := http.Client{Timeout: clientTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.admin)
		},
	}}
	response, err := client.Get("http://mailauthd/metrics")
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ') + 1
		if n, err := strconv.ParseFloat(line[end:], 64); err == nil {
			values[strings.TrimSuffix(line[:end], " ")] = n
		}
	}
	return values
}
