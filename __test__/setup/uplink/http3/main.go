// A server and a client of HTTP/3: `http3 serve ADDRESS CERTIFICATE KEY`, `http3 post URL AUTHORITY BYTES`.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/quic-go/quic-go/http3"
)

func main() {
	act := map[string]func([]string) error{"serve": serve, "post": post}[os.Args[1]]
	if err := act(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve sends each body back. The host of the request and the name of TLS are in headers.
func serve(args []string) error {
	certificate, err := tls.LoadX509KeyPair(args[1], args[2])
	if err != nil {
		return err
	}
	socket, err := net.ListenPacket("udp", args[0])
	if err != nil {
		return err
	}
	handler := http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		response.Header().Set("Seen", request.Proto+" "+request.Host+" "+request.TLS.ServerName)
		io.Copy(response, request.Body)
	})
	fmt.Println("ready")
	config := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})
	return (&http3.Server{Handler: handler, TLSConfig: config}).Serve(socket)
}

// post sends bytes, and prints what the server has seen if they come back.
func post(args []string) error {
	authority, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.Close()
	body := make([]byte, count)
	for index := range body {
		body[index] = byte(index * index >> 8)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, args[0], bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	back, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if sha256.Sum256(back) != sha256.Sum256(body) {
		return fmt.Errorf("%d bytes came back, and not the %d that were sent", len(back), len(body))
	}
	fmt.Println(response.Header.Get("Seen"))
	return nil
}
