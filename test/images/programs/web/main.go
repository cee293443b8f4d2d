// Web serves the folder /www, or the one that its argument names, on port 80 or
// $PORT: the web test image. It logs a line when it listens and one for each
// request, and ends with status 0 on SIGTERM, SIGQUIT or SIGINT.
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
