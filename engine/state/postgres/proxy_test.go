package postgres

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// A proxy stands between a Store and the server, as the network does, and
// breaks when it is told to.
type proxy struct {
	t      *testing.T
	listen net.Listener
	server string

	mu    sync.Mutex
	away  bool
	deaf  bool
	pairs []pair
}

// A pair is one connection.
type pair struct{ client, server net.Conn }

// through returns a proxy, and the place as it is called through it.
func through(t *testing.T, place string) (*proxy, string) {
	t.Helper()
	config, err := pgconn.ParseConfig(os.Getenv(serverVariable))
	if err != nil {
		t.Fatal(err)
	}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, listen: listen}
	_, p.server = pgconn.NetworkAddress(config.Host, config.Port)
	network, _ := pgconn.NetworkAddress(config.Host, config.Port)
	go func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			away := p.away
			p.mu.Unlock()
			if away {
				client.Close()
				continue
			}
			server, err := net.Dial(network, p.server)
			if err != nil {
				client.Close()
				continue
			}
			p.mu.Lock()
			p.pairs = append(p.pairs, pair{client, server})
			p.mu.Unlock()
			go func() { io.Copy(server, client) }()
			go p.answer(client, server)
		}
	}()
	t.Cleanup(func() {
		listen.Close()
		p.cut()
	})
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Del("host")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = listen.Addr().String(), query.Encode()
	return p, u.String()
}

// answer passes on what the server says.
func (p *proxy) answer(client, server net.Conn) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		p.mu.Lock()
		deaf := p.deaf && bytes.Contains(buffer[:n], []byte("COMMIT\x00"))
		p.deaf = p.deaf && !deaf
		p.mu.Unlock()
		if err != nil || deaf {
			client.Close()
			return
		}
		client.Write(buffer[:n])
	}
}

// lose breaks the connection on which the server next says that it has
// committed, before that arrives.
func (p *proxy) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = true
}

// leave breaks all connections, and lets none be made.
func (p *proxy) leave() {
	p.mu.Lock()
	p.away = true
	p.mu.Unlock()
	p.cut()
}

// comeBack lets connections be made.
func (p *proxy) comeBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = false
}

// cut breaks all connections at both ends.
func (p *proxy) cut() {
	for _, pair := range p.take() {
		pair.client.Close()
		pair.server.Close()
	}
}

// cutHere breaks all connections at this end; the server notices nothing.
func (p *proxy) cutHere() {
	for _, pair := range p.take() {
		pair.client.(*net.TCPConn).SetLinger(0)
		pair.client.Close()
		p.t.Cleanup(func() { pair.server.Close() })
	}
}

func (p *proxy) take() []pair {
	p.mu.Lock()
	defer p.mu.Unlock()
	pairs := p.pairs
	p.pairs = nil
	return pairs
}
