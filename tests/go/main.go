// The Go end of the RPC tests: a server, and a client that checks every answer.
//
//	peer serve unix /path/to/socket
//	peer call unix /path/to/socket
//	peer bench unix /path/to/socket CONNECTIONS SECONDS
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type Greeter struct{}

func (Greeter) Greet(name *string, reply *string) error {
	*reply = "Hello, " + *name
	return nil
}

type Args struct{ A, B int }

type Quotient struct{ Quo, Rem int }

type Arith int

func (*Arith) Multiply(args *Args, reply *int) error {
	*reply = args.A * args.B
	return nil
}

func (*Arith) Divide(args *Args, quo *Quotient) error {
	if args.B == 0 {
		return errors.New("divide by zero")
	}
	quo.Quo, quo.Rem = args.A/args.B, args.A%args.B
	return nil
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func dial(network, addr string) *rpc.Client {
	client, err := rpc.DialHTTP(network, addr)
	must(err)
	return client
}

func check(got, want any) {
	if got != want {
		log.Fatalf("got %v, want %v", got, want)
	}
}

func call(network, addr string) {
	client := dial(network, addr)
	for n := range 100 {
		var greeting string
		must(client.Call("Greeter.Greet", strconv.Itoa(n), &greeting))
		check(greeting, "Hello, "+strconv.Itoa(n))
	}
	var product int
	must(client.Call("Arith.Multiply", Args{7, -8}, &product))
	check(product, -56)
	var quotient Quotient
	must(client.Call("Arith.Divide", Args{17, 8}, &quotient))
	check(quotient, Quotient{2, 1})
	quotient = Quotient{}
	must(client.Call("Arith.Divide", Args{0, 5}, &quotient))
	check(quotient, Quotient{})
	// Fields that the server does not know, of every kind, are skipped.
	wide := struct {
		Any  any
		M    map[string][]int
		A, B int
		C    complex128
		Arr  [3]string
		When time.Time
	}{nil, map[string][]int{"x": {1, 2}}, 6, 7, 1i, [3]string{"a", "", "c"}, time.Now()}
	must(client.Call("Arith.Multiply", wide, &product))
	check(product, 42)

	for method, want := range map[string]string{
		"Nobody.Greet":       "rpc: can't find service Nobody.Greet",
		"Greeter.Shout":      "rpc: can't find method Greeter.Shout",
		"Greet":              "rpc: service/method request ill-formed: Greet",
		"Greeter.Greet.More": "rpc: can't find service Greeter.Greet.More",
	} {
		check(client.Call(method, "Joe", new(string)).Error(), want)
	}
	check(client.Call("Arith.Divide", Args{1, 0}, &quotient).Error(), "divide by zero")
	if err := client.Call("Greeter.Greet", 7, new(string)); err == nil {
		log.Fatal("a number was taken for a string")
	}
	for _, wrong := range []any{map[string]int{"A": 1}, []string{"A"}, [2]int{1, 2}, 1i} {
		if err := client.Call("Arith.Multiply", wrong, &product); err == nil {
			log.Fatalf("%T was taken for Args", wrong)
		}
	}

	large := strings.Repeat("0123456789abcdef", 1<<16)
	var greeting string
	must(client.Call("Greeter.Greet", large, &greeting))
	check(greeting, "Hello, "+large)

	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			for m := range 50 {
				var product int
				must(client.Call("Arith.Multiply", Args{n, m}, &product))
				check(product, n*m)
			}
		})
	}
	all.Wait()
	must(client.Close())
	fmt.Println("all is well")
}

func bench(network, addr string, conns int, seconds float64) {
	var calls atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for range conns {
		client := dial(network, addr)
		all.Go(func() {
			for time.Now().Before(end) {
				name, reply := "Joe", ""
				must(client.Call("Greeter.Greet", &name, &reply))
				calls.Add(1)
			}
		})
	}
	all.Wait()
	fmt.Printf("%.0f\n", float64(calls.Load())/seconds)
}

func serve(network, addr string) {
	rpc.Register(new(Greeter))
	rpc.Register(new(Arith))
	rpc.HandleHTTP()
	listener, err := net.Listen(network, addr)
	must(err)
	fmt.Fprintf(os.Stderr, "listening on %s:%s\n", network, listener.Addr())
	must(http.Serve(listener, nil))
}

func main() {
	switch args := os.Args[1:]; args[0] {
	case "serve":
		serve(args[1], args[2])
	case "call":
		call(args[1], args[2])
	case "bench":
		conns, err := strconv.Atoi(args[3])
		must(err)
		seconds, err := strconv.ParseFloat(args[4], 64)
		must(err)
		bench(args[1], args[2], conns, seconds)
	}
}
