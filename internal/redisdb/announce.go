package redisdb

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed announce.lua
var announceLua string

var announceScript = NewScript(announceLua)

func (c *Client) channel() string { return c.Key("announce") }

// Announce tells all machines, this one included, by [Handler.Announced]. After an error the announcement waits until
// Redis answers.
func (c *Client) Announce(ctx context.Context, topic, value string) error {
	c.mu.Lock()
	if len(c.outbox) < MaxAnnouncements {
		c.outbox = append(c.outbox, topic+" "+value)
	} else {
		c.outbox[0] = "" // which no machine understands, so that each drops all
	}
	c.mu.Unlock()
	if !c.up.Load() {
		return ErrSetAside
	}
	ctx, cancel := context.WithTimeout(ctx, BackgroundTimeout)
	defer cancel()
	if err := c.sendOutbox(ctx); err != nil {
		c.Pending()
		return fmt.Errorf("redis: %w", explain(err))
	}
	return nil
}

// sendOutbox sends the announcements that wait.
func (c *Client) sendOutbox(ctx context.Context) error {
	for {
		c.mu.Lock()
		if len(c.outbox) == 0 {
			c.mu.Unlock()
			return nil
		}
		text := c.outbox[0]
		c.outbox = c.outbox[1:]
		c.mu.Unlock()
		err := announceScript.Run(ctx, c.db, []string{c.siteKey()}, c.channel(), c.secrets.seal(text)).Err()
		if err != nil {
			c.mu.Lock()
			c.outbox = append([]string{text}, c.outbox...)
			c.mu.Unlock()
			return err
		}
	}
}

// listen hears announcements until ctx ends.
func (c *Client) listen(ctx context.Context) {
	sub := c.db.Subscribe(ctx, c.channel())
	defer sub.Close()
	heard := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-heard:
			if !ok {
				return
			}
			c.hear(ctx, m)
		}
	}
}

// hear handles a message. After each subscription it looks at the site, because messages before it were not heard.
func (c *Client) hear(ctx context.Context, message any) {
	switch m := message.(type) {
	case *redis.Subscription:
		_ = c.Look(ctx) // after an error Keep looks
	case *redis.Message:
		c.announced(m.Payload)
	}
}

// announced handles the payload "EPOCH SEALED".
func (c *Client) announced(payload string) {
	number, sealed, _ := strings.Cut(payload, " ")
	epoch, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return
	}
	c.mu.Lock()
	known := c.known.Load()
	if known == nil || epoch <= known.epoch {
		c.mu.Unlock()
		return // Look has seen it
	}
	missed := epoch != known.epoch+1
	c.known.Store(&site{known.id, epoch, known.seen})
	c.mu.Unlock()
	text, err := c.secrets.open(sealed)
	topic, value, ok := strings.Cut(text, " ")
	if missed || err != nil || !ok {
		c.handler.Missed()
		return
	}
	c.handler.Announced(topic, value)
}

// globQuote makes a text a pattern that matches only the text.
var globQuote = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)
