package migrate

import (
	"bufio"
	"bytes"
	"compress/flate"
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

// ErrCut is the error of a compressed log that is not whole. What could be read has been read.
var ErrCut = errors.New("ends too early or is damaged: what comes after that is not read")

// isCut reports whether an error is that of a compressed file that is not whole.
func isCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, new(flate.CorruptInputError))
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
		cut := isCut(err)
		if err != nil && !cut && !errors.Is(err, io.EOF) {
			return fmt.Errorf("cannot be read to its end: %w", err)
		}
		if err != nil && problem == noProblem {
			problem = noEnd
		}
		if b = bytes.TrimRight(b, "\r\n"); len(b) > 0 {
			take(b, problem)
		}
		switch {
		case cut:
			return ErrCut
		case err != nil:
			return nil
		}
	}
}
