package logfile

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Problem is why a line cannot be read.
type Problem int

// The problems of lines.
const (
	None    Problem = iota
	TooLong         // the line is left out
	NoEnd           // the last line has no line break, so it may not be whole
)

// minBuffer is the smallest buffer for lines, which are not copied.
const minBuffer = 64 << 10

// ErrCut is the error of a compressed log that is not whole. What could be read has been read.
var ErrCut = errors.New("ends too early or is damaged: what comes after that is not read")

// open returns a reader of a log, which may be compressed by gzip.
func open(r io.Reader, buffer int) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, buffer)
	if magic, _ := in.Peek(2); string(magic) != "\x1f\x8b" {
		return in, nil
	}
	unzipped, err := gzip.NewReader(in)
	switch {
	case isCut(err):
		return nil, ErrCut
	case err != nil:
		return nil, err
	}
	return bufio.NewReaderSize(unzipped, buffer), nil
}

// isCut reports whether an error is that of a compressed file that is not whole.
func isCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, new(flate.CorruptInputError))
}

// EachLine calls take for each line of a log without its end, until take returns false. A line of more than limit bytes is
// TooLong. The line is valid only until take returns. An empty line is left out.
func EachLine(r io.Reader, limit int, take func(line []byte, problem Problem) bool) error {
	in, err := open(r, max(limit, minBuffer))
	if err != nil {
		return err
	}
	for {
		b, err := in.ReadSlice('\n')
		problem := None
		if len(b) > limit {
			problem = TooLong
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			problem = TooLong
			_, err = in.ReadSlice('\n')
		}
		cut := isCut(err)
		if err != nil && !cut && !errors.Is(err, io.EOF) {
			return fmt.Errorf("cannot be read to its end: %w", err)
		}
		if err != nil && problem == None {
			problem = NoEnd
		}
		if b = bytes.TrimRight(b, "\r\n"); problem == TooLong {
			b = nil // the buffer has been written to since
		}
		if (len(b) > 0 || problem == TooLong) && !take(b, problem) {
			return nil
		}
		switch {
		case cut:
			return ErrCut
		case err != nil:
			return nil
		}
	}
}
