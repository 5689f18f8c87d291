// A registry with the referrers API on a loopback port, for tests/real/registries.sh: the server that go-containerregistry ships,
// which keeps everything in memory.
//
//	go run . 127.0.0.1:5002
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(os.Stderr, "", 0)))
	log.Fatal(http.ListenAndServe(os.Args[1], handler))
}
