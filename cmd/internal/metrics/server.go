package metrics

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"golang.org/x/net/netutil"
)

// Patience is for how long a stage may stand still that has something to do, before the run
// is no longer healthy. A batch takes milliseconds.
const Patience = 20 * time.Second

// healthy answers whether the run is alive.
func (m *Metrics) healthy(w http.ResponseWriter, _ *http.Request) {
	why := ""
	if stuck := m.cfg.Stuck(); stuck > Patience {
		why = fmt.Sprintf("no stage has moved for %d s", int(stuck.Seconds()))
	}
	answer(w, why)
}

// ready answers whether the run does what it is there for.
func (m *Metrics) ready(w http.ResponseWriter, _ *http.Request) { answer(w, m.cfg.Ready()) }

// answer says why not; empty: all is well.
func answer(w http.ResponseWriter, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if why != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, why)
		return
	}
	fmt.Fprintln(w, "ok")
}

func profiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

const (
	// patience is what a request may take, with its answer. A profile takes half a minute.
	readPatience  = 5 * time.Second
	writePatience = 2 * time.Minute
	maxHeader     = 8 << 10
	// maxClients bounds the connections that are open together.
	maxClients = 32
)

// Serve answers requests that come in on a listener until stop is called, which closes it.
func (m *Metrics) Serve(l net.Listener) (stop func()) {
	server := &http.Server{
		Handler: m.Handler(), ReadTimeout: readPatience, WriteTimeout: writePatience,
		IdleTimeout: writePatience, MaxHeaderBytes: maxHeader,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(netutil.LimitListener(l, maxClients))
	}()
	return func() {
		_ = server.Close()
		<-done
	}
}
