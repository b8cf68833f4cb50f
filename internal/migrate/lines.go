package migrate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// lineProblem is why a line cannot be read.
type lineProblem int

const (
	noProblem lineProblem = iota
	tooLong
	noEnd // the last line has no line break, so it may not be whole
)

// open returns a reader of a log, which may be compressed by gzip.
func open(r io.Reader, buffer int) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, buffer)
	if magic, _ := in.Peek(2); string(magic) != "\x1f\x8b" {
		return in, nil
	}
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(unzipped, buffer), nil
}

// eachLine calls take for each line without its end. The line is valid only until take returns. An empty line is left out.
func eachLine(in *bufio.Reader, limit int, take func(line []byte, problem lineProblem)) error {
	for {
		b, err := in.ReadSlice('\n')
		problem := noProblem
		if len(b) > limit {
			problem = tooLong
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			problem = tooLong
			_, err = in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("cannot be read to its end: %w", err)
		}
		if err != nil && problem == noProblem {
			problem = noEnd
		}
		if b = bytes.TrimRight(b, "\r\n"); len(b) > 0 {
			take(b, problem)
		}
		if err != nil {
			return nil
		}
	}
}
