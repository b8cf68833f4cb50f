package server

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"mailauthd/internal/auth"
	"mailauthd/internal/authhttp"
	"mailauthd/internal/authlog"
	"mailauthd/internal/shadow"
)

// isLoop reports whether a request is one that we have sent to the script in [shadow] url.
func (s *Server) isLoop(r *http.Request) bool {
	_, marked := r.Header[shadow.Header]
	return marked && s.state.Load().script != nil
}

// answerShadowed answers a request that the script in [shadow] url decides as well. auth.log and the login metrics
// have the answer that nginx gets.
func (s *Server) answerShadowed(st *state, r *http.Request) authhttp.Response {
	if s.isLoop(r) {
		s.shadow.WarnOfLoop()
		return auth.Unavailable(r.Header)
	}
	var response authhttp.Response
	var event authlog.Event
	if st.script.Answer == shadow.Theirs {
		response, event = s.answerTheirs(st, r.Header)
	} else {
		response, event = st.auth.Answer(r.Context(), r.Header)
		s.shadow.CompareOurs(st.script, r.Header, response, event)
	}
	s.record(&event)
	return response
}

// answerTheirs returns the script's answer. If the script gives none, the request is a temporary failure.
func (s *Server) answerTheirs(st *state, h http.Header) (authhttp.Response, authlog.Event) {
	start := time.Now()
	reply := s.shadow.AskTheirs(st.script, h, func(ctx context.Context) (authhttp.Response, authlog.Event) {
		return st.auth.Answer(ctx, h)
	})
	request, _ := authhttp.ReadRequest(h)
	if st.auth.ProxyAddr {
		request.ClientIP = request.ProxyAddr
	}
	event := authlog.Event{
		Start: start, End: time.Now(),
		Method: string(request.Method), User: request.User, Salt: request.Salt, Protocol: string(request.Protocol),
		ClientIP: request.ClientIP, SSL: request.SSL,
	}
	response := reply.Response
	switch response.Outcome {
	case authhttp.OK:
		event.Backend = response.Server
	case authhttp.Reject:
		event.Reason = authlog.Script
		if !auth.MayWait(&request) {
			response.Wait = 0
		}
	default:
		response = auth.Unavailable(h)
		event.Reason, event.Error = authlog.InternalFailure, "the script at [shadow] url: "+reply.Error
	}
	event.Outcome, event.Status = response.Outcome.String(), shadow.Loggable(response.Status(), &request, h.Get("Auth-Pass"))
	return response, event
}

// shadowMetrics has the metrics of [shadow].
type shadowMetrics struct {
	requests           *prometheus.CounterVec
	different, skipped prometheus.Counter
	seconds            prometheus.Histogram
}

func newShadowMetrics() shadowMetrics {
	return shadowMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailauthd_shadow_requests_total", Help: "Requests while [shadow] is set, by our outcome and that of the script (ok, reject, tempfail, none).",
		}, []string{"ours", "theirs"}),
		different: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailauthd_shadow_differences_total", Help: "Requests that the script answered differently.",
		}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailauthd_shadow_skipped_total", Help: "Requests that were not compared, because [shadow] max_requests were being compared or mailauthd stopped.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "mailauthd_shadow_script_duration_seconds", Help: "Time until the script had answered or was given up.",
			Buckets: []float64{.001, .01, .05, .1, .5, 1, 5, 10, 20, 40},
		}),
	}
}

// compared adds one request.
func (m *metrics) compared(r shadow.Result) {
	m.shadow.requests.WithLabelValues(r.Ours, r.Theirs).Inc()
	if r.Ours == shadow.None || r.Theirs == shadow.None {
		m.shadow.skipped.Inc()
	}
	if r.Theirs != shadow.None {
		m.shadow.seconds.Observe(r.Took.Seconds())
	}
	if r.Different {
		m.shadow.different.Inc()
	}
}
