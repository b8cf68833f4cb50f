package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// The iterations that a server may ask for in SCRAM. With fewer, an attacker who poses as the
// server can guess the password (RFC 5802 section 5.1). More only cost time.
const (
	MinIterations = 4096
	MaxIterations = 1_000_000
)

// scram is the client's side of SCRAM (RFC 5802 section 3) without channel binding. User name
// and password are used as they are, without SASLprep, as Dovecot does.
type scram struct {
	ctx            context.Context // stops the iterations
	compute        func(context.Context) (done func(), err error)
	hash           func() hash.Hash
	user, password string
	nonce          string // the client's
	step           int

	proof     string // in base64
	signature []byte // that the server must send
	verified  bool   // the server has sent the signature
	failure   string // the server's "e=" error
}

func newSCRAM(h func() hash.Hash) func(ctx context.Context, s Server, user, password string) exchange {
	return func(ctx context.Context, s Server, user, password string) exchange {
		return &scram{ctx: ctx, compute: s.Compute, hash: h, user: user, password: password, nonce: rand.Text()}
	}
}

func (*scram) first() bool { return true }

// secrets include the signature, because it can be used to guess the password, as the proof can.
func (x *scram) secrets() []string {
	signature := base64.StdEncoding.EncodeToString(x.signature)
	return []string{x.proof, signature, base64.StdEncoding.EncodeToString([]byte("v=" + signature))}
}

func (x *scram) respond(challenge []byte) ([]byte, error) {
	x.step++
	switch x.step {
	case 1:
		return []byte("n,," + x.clientFirst()), nil
	case 2:
		return x.clientFinal(string(challenge))
	case 3:
		return nil, x.serverFinal(string(challenge))
	}
	return nil, errTooMuch
}

var saslName = strings.NewReplacer("=", "=3D", ",", "=2C")

func (x *scram) clientFirst() string { return "n=" + saslName.Replace(x.user) + ",r=" + x.nonce }

// clientFinal returns the client's last message, with the proof of the password.
func (x *scram) clientFinal(first string) ([]byte, error) {
	challenge, err := parseServerFirst(first, x.nonce)
	if err != nil {
		return nil, err
	}
	salted, err := x.salted(challenge.salt, challenge.iterations)
	if err != nil {
		return nil, err
	}
	final := "c=biws,r=" + challenge.nonce // "biws" is "n,,"
	message := x.clientFirst() + "," + first + "," + final
	clientKey := x.mac(salted, "Client Key")
	stored := x.hash()
	stored.Write(clientKey)
	proof := x.mac(stored.Sum(nil), message)
	subtle.XORBytes(proof, proof, clientKey)
	x.proof = base64.StdEncoding.EncodeToString(proof)
	x.signature = x.mac(x.mac(salted, "Server Key"), message)
	return []byte(final + ",p=" + x.proof), nil
}

// serverFinal reads "v=signature" or "e=error". After an error the answer of the protocol
// follows.
func (x *scram) serverFinal(final string) error {
	attribute, _, _ := strings.Cut(final, ",") // extensions may follow
	if failure, ok := strings.CutPrefix(attribute, "e="); ok && failure != "" {
		x.failure = failure
		return nil
	}
	encoded, ok := strings.CutPrefix(attribute, "v=")
	if !ok {
		return errors.New("SCRAM: server's last message has neither signature nor error")
	}
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !hmac.Equal(signature, x.signature) {
		return errors.New("SCRAM: server's signature is wrong: it does not know the password")
	}
	x.verified = true
	return nil
}

// notTheProof has the errors of RFC 5802 section 7 that say nothing about the password.
var notTheProof = []string{"invalid-encoding", "extensions-not-supported", "channel-bindings-dont-match",
	"server-does-support-channel-binding", "channel-binding-not-supported", "unsupported-channel-binding-type",
	"invalid-username-encoding", "no-resources"}

func (x *scram) checkOutcome(v verdict) error {
	switch {
	case v == accepted && x.failure != "":
		return fmt.Errorf("SCRAM: server accepted the login after its error %q", x.failure)
	case v == accepted && !x.verified:
		return errors.New("SCRAM: server accepted the login without a proof that it knows the password")
	case v == refused && slices.Contains(notTheProof, x.failure):
		return fmt.Errorf("SCRAM: server's error %q", x.failure)
	}
	return nil
}

func (x *scram) mac(key []byte, message string) []byte {
	m := hmac.New(x.hash, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

// salted returns the SaltedPassword. It calls compute before the iterations, because they take
// CPU time.
func (x *scram) salted(salt []byte, n int) ([]byte, error) {
	if x.compute != nil {
		done, err := x.compute(x.ctx)
		if err != nil {
			return nil, fmt.Errorf("SCRAM: %d iterations: %w", n, err)
		}
		defer done()
	}
	return x.iterate(salt, n)
}

// iterate is Hi of RFC 5802 section 2.2: PBKDF2 of a single block. crypto/pbkdf2 is not used
// because it cannot be stopped when the login ends.
func (x *scram) iterate(salt []byte, n int) ([]byte, error) {
	m := hmac.New(x.hash, []byte(x.password))
	m.Write(binary.BigEndian.AppendUint32(slices.Clone(salt), 1))
	u := m.Sum(nil)
	result := slices.Clone(u)
	for i := 1; i < n; i++ {
		if i%1024 == 0 && x.ctx.Err() != nil {
			return nil, fmt.Errorf("SCRAM: no time for %d iterations", n)
		}
		m.Reset()
		m.Write(u)
		u = m.Sum(u[:0])
		subtle.XORBytes(result, result, u)
	}
	return result, nil
}

// serverFirst is the server's first message.
type serverFirst struct {
	nonce      string // the client's and the server's
	salt       []byte
	iterations int
}

// parseServerFirst reads "r=nonce,s=salt,i=iterations". Extensions may follow; it refuses
// mandatory ones.
func parseServerFirst(message, ours string) (f serverFirst, err error) {
	fields := strings.Split(message, ",")
	if len(fields) < 3 || strings.HasPrefix(message, "m=") {
		return f, errors.New("SCRAM: server's first message is not nonce, salt and iterations")
	}
	nonce, okR := strings.CutPrefix(fields[0], "r=")
	salt, okS := strings.CutPrefix(fields[1], "s=")
	count, okI := strings.CutPrefix(fields[2], "i=")
	if !okR || !okS || !okI {
		return f, errors.New("SCRAM: server's first message is not nonce, salt and iterations")
	}
	if len(nonce) <= len(ours) || !strings.HasPrefix(nonce, ours) {
		return f, errors.New("SCRAM: server's nonce does not begin with the client's")
	}
	f.nonce = nonce
	if f.salt, err = base64.StdEncoding.DecodeString(salt); err != nil || len(f.salt) == 0 {
		return f, errors.New("SCRAM: salt is not base64")
	}
	if f.iterations, err = strconv.Atoi(count); err != nil {
		return f, errors.New("SCRAM: number of iterations is not a number") // the text may be a secret
	}
	if f.iterations < MinIterations || f.iterations > MaxIterations {
		return f, fmt.Errorf("SCRAM: server asks for %d iterations, want %d to %d", f.iterations, MinIterations, MaxIterations)
	}
	return f, nil
}
