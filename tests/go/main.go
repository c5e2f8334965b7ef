// The Go end of the RPC tests: a server, and a client that checks every answer.
//
//	peer serve unix /path/to/socket
//	peer call unix /path/to/socket
//	peer odd unix /path/to/socket http|raw
//	peer gob
//	peer bench unix /path/to/socket CONNECTIONS SECONDS
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
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

type Odd struct{}

func (Odd) Count(words []string, counts *map[string]int) error {
	*counts = map[string]int{}
	for _, word := range words {
		(*counts)[word]++
	}
	return nil
}

func (Odd) Sum(counts map[string]int, sum *int) error {
	for _, count := range counts {
		*sum += count
	}
	return nil
}

func (Odd) Nothing(struct{}, *struct{}) error { return nil }

func (Odd) Latin1(struct{}, *struct{}) error { return errors.New("open M\xfcll") }

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
	anything(client)

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

// Maps, nothing, an error without a text, and calls without HTTP.
func odd(network, addr, how string) {
	var client *rpc.Client
	var err error
	if how == "raw" {
		client, err = rpc.Dial(network, addr)
	} else {
		client, err = rpc.DialHTTP(network, addr)
	}
	must(err)
	for range 3 {
		var counts map[string]int
		must(client.Call("Odd.Count", []string{"a", "b", "a"}, &counts))
		check(len(counts), 2)
		check(counts["a"], 2)
		var sum int
		must(client.Call("Odd.Sum", counts, &sum))
		check(sum, 3)
		must(client.Call("Odd.Nothing", struct{}{}, &struct{}{}))
		check(client.Call("Odd.NoText", struct{}{}, &struct{}{}).Error(), "(no text)")
	}
	must(client.Close())
	fmt.Println("all is well")
}

type Extra struct{ N int }

type Deep struct {
	In Extra
	L  []Extra
}

// An interface in a field that the server does not know may hold what was not defined yet. Then the
// definition is in the middle of the value, which goes on in another message.
func anything(client *rpc.Client) {
	gob.Register(Extra{})
	gob.Register(Deep{})
	var product int
	for _, held := range []any{Extra{5}, Extra{6}, Deep{Extra{1}, []Extra{{2}}}, "text", nil} {
		must(client.Call("Arith.Multiply", struct {
			A   int
			Any any
			B   int
		}{6, held, 7}, &product))
		check(product, 42)
	}
	// The same in a value that is refused, or dropped.
	type Other struct{ N int }
	gob.Register(Other{})
	if err := client.Call("Arith.Multiply", struct{ A any }{Other{5}}, &product); err == nil {
		log.Fatal("an interface was taken for a number")
	}
	type Another struct{ N int }
	gob.Register(Another{})
	dropped := client.Call("Arith.Subtract", struct{ A any }{Another{5}}, &product)
	check(dropped.Error(), "rpc: can't find method Arith.Subtract")
	must(client.Call("Arith.Multiply", Args{6, 7}, &product))
	check(product, 42)
	// Types that do not fit are refused, though no value is of them.
	for _, wrong := range []any{struct{ A string }{}, struct{ A []int }{}} {
		if err := client.Call("Arith.Multiply", wrong, &product); err == nil {
			log.Fatalf("%T was taken for Args", wrong)
		}
	}
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
	rpc.Register(Odd{})
	rpc.HandleHTTP()
	listener, err := net.Listen(network, addr)
	must(err)
	fmt.Fprintf(os.Stderr, "listening on %s:%s\n", network, listener.Addr())
	must(http.Serve(listener, nil))
}

type Inner struct {
	S string
	N int
}

type Lists struct {
	Strs []string
	Ints []int
	Recs []Inner
	Blob []byte
	Deep [][]uint16
}

type Narrow struct {
	I8  int8
	I16 int16
	I32 int32
	I64 int64
	U8  uint8
	U16 uint16
	U32 uint32
	U64 uint64
	F32 float32
	F64 float64
	B   bool
}

type Maps struct {
	Numbers map[string]int
	Names   map[int8][]string
	Recs    map[string]Inner
}

type Tree struct {
	V    int
	Kids []Tree
	In   Inner
}

func put(out *bufio.Writer, kind byte, contents []byte) {
	out.WriteByte(kind)
	must(binary.Write(out, binary.BigEndian, uint32(len(contents))))
	out.Write(contents)
}

// Decodes up to three values of a stream, and encodes each anew.
func decode[T any](stream []byte, out *bufio.Writer) {
	decoder := gob.NewDecoder(bytes.NewReader(stream))
	for range 3 {
		var value T
		if err := decoder.Decode(&value); err != nil {
			put(out, 'e', []byte(err.Error()))
			return
		}
		var encoded bytes.Buffer
		must(gob.NewEncoder(&encoded).Encode(value))
		put(out, 'v', encoded.Bytes())
	}
	put(out, 'e', nil)
}

// Reads streams from standard input, each as a byte for its type and its length in four.
func decodeStreams() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var head struct {
			Type byte
			Len  uint32
		}
		if err := binary.Read(in, binary.BigEndian, &head); err != nil {
			must(out.Flush())
			return
		}
		stream := make([]byte, head.Len)
		_, err := io.ReadFull(in, stream)
		must(err)
		switch head.Type {
		case 0:
			decode[Narrow](stream, out)
		case 1:
			decode[Lists](stream, out)
		case 2:
			decode[Tree](stream, out)
		case 3:
			decode[[]Lists](stream, out)
		case 4:
			decode[string](stream, out)
		case 5:
			decode[[]float32](stream, out)
		case 6:
			decode[Maps](stream, out)
		case 7:
			decode[map[string]map[string]uint16](stream, out)
		case 8:
			decode[string](stream, out)
		}
	}
}

func main() {
	switch args := os.Args[1:]; args[0] {
	case "serve":
		serve(args[1], args[2])
	case "odd":
		odd(args[1], args[2], args[3])
	case "gob":
		decodeStreams()
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
