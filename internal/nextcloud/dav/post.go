package dav

import (
	"context"
	"fmt"
)

// Post sends an XML document to a resource that acts on it, as Nextcloud's
// sharing and publishing of calendars and address books do.
func (c *Client) Post(ctx context.Context, q Query, body Element) error {
	_, err := c.send(ctx, "POST", q, &body)
	return err
}

// ParseDocument reads an answer that is XML, but no multistatus.
func ParseDocument(data []byte) (*Node, error) {
	root, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read XML: %w", err)
	}
	return root, nil
}
