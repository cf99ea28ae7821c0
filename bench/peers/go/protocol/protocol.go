// Package protocol is the Go side of a program that is a peer of the benchmarks: a line of JSON says what is to be done
// and how often, and the program's line says what one took, in microseconds, or what went wrong.
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

// Operation does what it is named for so many times, and tells what one took. The options are those of the request.
type Operation func(options json.RawMessage, times int) (float64, error)

// Serve answers until the end of the standard input. Every program has the operation `hold` besides its own.
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
		return map[string]any{"error": fmt.Sprintf("there is nothing like %s", line)}
	}
	took, err := operation(line, request.Times)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"took": took}
}

var held []byte

// As much live memory as the process has that is compared with, each page of it written: `MiB` of it from now on.
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

// Mean is for what is too short to be timed one by one.
func Mean(times int, call func() error) (float64, error) {
	start := time.Now()
	for range times {
		if err := call(); err != nil {
			return 0, err
		}
	}
	return since(start) / float64(times), nil
}

// Median times each one.
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
