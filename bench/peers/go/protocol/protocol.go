// Package protocol is the Go side of a peer program of the benchmarks: a line of JSON names an operation
// and how often to run it, and the program's line has the duration of one, in microseconds, or an error.
package protocol

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"slices"
	"time"
)

// Operation runs this many times, and returns the duration of one. The options are those of the request.
type Operation func(options json.RawMessage, times int) (float64, error)

// Serve answers until the end of the standard input. Every program has the operation `hold` in addition.
func Serve(operations map[string]Operation) {
	operations["hold"] = hold
	lines := bufio.NewScanner(os.Stdin)
	// A request may have many names in it.
	lines.Buffer(nil, 16<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		if err := answers.Encode(answer(operations, lines.Bytes())); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func answer(operations map[string]Operation, line []byte) map[string]any {
	var request struct {
		Do    string
		Times int
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return map[string]any{"error": err.Error()}
	}
	operation, known := operations[request.Do]
	if !known || request.Times < 1 {
		return map[string]any{"error": fmt.Sprintf("unknown operation %s", line)}
	}
	took, err := operation(line, request.Times)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"took": took}
}

var held []byte

// As much live memory as the process that it is compared with, each page written: `MiB` of it from now on.
func hold(options json.RawMessage, _ int) (float64, error) {
	var request struct{ MiB int }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	held = nil
	debug.FreeOSMemory()
	held = make([]byte, request.MiB<<20)
	for at := 0; at < len(held); at += os.Getpagesize() {
		held[at] = 1
	}
	return 0, nil
}

// Mean is for operations too short to be measured one by one.
func Mean(times int, call func() error) (float64, error) {
	start := time.Now()
	for range times {
		if err := call(); err != nil {
			return 0, err
		}
	}
	return since(start) / float64(times), nil
}

// Median measures each one.
func Median(times int, call func() error) (float64, error) {
	took := make([]float64, times)
	for index := range took {
		start := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		took[index] = since(start)
	}
	slices.Sort(took)
	return took[times/2], nil
}

func since(start time.Time) float64 {
	return float64(time.Since(start).Nanoseconds()) / 1000
}
