// Web serves the folder /www, or the one that its argument names, on port 80 or
// $PORT: the web test image. It logs a line when it listens and one for each
// request, and ends with status 0 on SIGTERM, SIGQUIT or SIGINT. On the UDP port
// $ECHO, if there is one, it sends back what comes.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGINT)
	defer stop()
	dir, port := "/www", "80"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if p := os.Getenv("PORT"); p != "" {
		port = p
	}
	if err := serve(ctx, dir, port); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// serve answers requests for the files in dir until ctx is done.
func serve(ctx context.Context, dir, port string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	if err := echo(ctx, os.Getenv("ECHO")); err != nil {
		return err
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	files := http.FileServer(http.Dir(dir))
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Printf("%s %s\n", r.Method, r.URL.Path)
			files.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// echo sends back what comes to a UDP port until ctx is done; "" is none.
func echo(ctx context.Context, port string) error {
	if port == "" {
		return nil
	}
	conn, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if _, err := conn.WriteTo(buffer[:n], from); err != nil {
				fmt.Fprintln(os.Stderr, "web:", err)
			}
		}
	}()
	return nil
}
