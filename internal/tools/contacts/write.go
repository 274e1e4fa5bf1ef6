package contacts

import (
	"context"
	"fmt"

	api "nextcloud-mcp-server/internal/nextcloud/contacts"
	"nextcloud-mcp-server/internal/nextcloud/contacts/vcard"
	"nextcloud-mcp-server/internal/scope"
	"nextcloud-mcp-server/internal/tool"
)

// Data are the fields of a contact as they are set.
type Data struct {
	FN              *string        `json:"fn,omitempty" jsonschema:"full name, default from the parts"`
	GivenName       *string        `json:"given_name,omitempty" jsonschema:"part"`
	FamilyName      *string        `json:"family_name,omitempty" jsonschema:"part"`
	AdditionalNames *string        `json:"additional_names,omitempty" jsonschema:"part"`
	Prefix          *string        `json:"prefix,omitempty" jsonschema:"Dr."`
	Suffix          *string        `json:"suffix,omitempty" jsonschema:"Jr."`
	Nickname        *string        `json:"nickname,omitempty" jsonschema:"comma-separated"`
	Org             *string        `json:"org,omitempty" jsonschema:"organization"`
	Department      *string        `json:"department,omitempty" jsonschema:"unit"`
	Title           *string        `json:"title,omitempty" jsonschema:"job"`
	Role            *string        `json:"role,omitempty" jsonschema:"function"`
	Email           *[]api.Value   `json:"email,omitempty" jsonschema:"each value, types, label, preferred"`
	Tel             *[]api.Value   `json:"tel,omitempty" jsonschema:"as email"`
	Adr             *[]api.Address `json:"adr,omitempty" jsonschema:"each street, city, region, postal_code, country, types"`
	URL             *[]api.Value   `json:"url,omitempty" jsonschema:"as email"`
	Social          *[]api.Value   `json:"social,omitempty" jsonschema:"profile addresses, type is the network"`
	IMPP            *[]api.Value   `json:"impp,omitempty" jsonschema:"chat addresses"`
	BDay            *string        `json:"bday,omitempty" jsonschema:"YYYY-MM-DD or --MM-DD"`
	Anniversary     *string        `json:"anniversary,omitempty" jsonschema:"as bday"`
	Note            *string        `json:"note,omitempty" jsonschema:"text"`
	Categories      *[]string      `json:"categories,omitempty" jsonschema:"groups"`
	Photo           *string        `json:"photo,omitempty" jsonschema:"base64"`
}

func (d *Data) fields() api.Fields {
	return api.Fields{
		Name: d.FN, GivenName: d.GivenName, FamilyName: d.FamilyName, Additional: d.AdditionalNames, Prefix: d.Prefix, Suffix: d.Suffix,
		Nickname: d.Nickname, Organization: d.Org, Department: d.Department, Title: d.Title, Role: d.Role,
		Emails: d.Email, Phones: d.Tel, Addresses: d.Adr, URLs: d.URL, Social: d.Social, Chats: d.IMPP,
		Birthday: d.BDay, Anniversary: d.Anniversary, Note: d.Note, Categories: d.Categories, Photo: d.Photo,
	}
}

// CreateInput is the input of nc_contacts_create_contact.
type CreateInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	UID         string `json:"uid,omitempty" jsonschema:"default a new one"`
	ContactData Data   `json:"contact_data" jsonschema:"fields"`
}

var create = tool.New(tool.Def{
	Name:        "nc_contacts_create_contact",
	Title:       "Create a contact",
	Description: "Create a contact. Search first whether it is there.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Creates,
	Tier:        tool.Core,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in CreateInput) (*Saved, error) {
	return saved(contacts.Create(ctx, in.Addressbook, in.UID, in.ContactData.fields()))
})

// Change is a change of one of several values.
type Change struct {
	Field      string   `json:"field" jsonschema:"email, tel, adr, url, impp, social, nickname or categories"`
	Old        string   `json:"old,omitempty" jsonschema:"value to replace"`
	Value      string   `json:"value,omitempty" jsonschema:"value to add or remove, or new value"`
	Types      []string `json:"types,omitempty" jsonschema:"such as home, work, cell"`
	Label      *string  `json:"label,omitempty" jsonschema:"own name for it"`
	Preferred  *bool    `json:"preferred,omitempty" jsonschema:"take this first"`
	POBox      string   `json:"po_box,omitempty" jsonschema:"of adr"`
	Extended   string   `json:"extended,omitempty" jsonschema:"of adr"`
	Street     string   `json:"street,omitempty" jsonschema:"of adr"`
	City       string   `json:"city,omitempty" jsonschema:"of adr"`
	Region     string   `json:"region,omitempty" jsonschema:"of adr"`
	PostalCode string   `json:"postal_code,omitempty" jsonschema:"of adr"`
	Country    string   `json:"country,omitempty" jsonschema:"of adr"`
}

func changes(list []Change, removes bool) []api.Change {
	var out []api.Change
	for _, c := range list {
		ch := api.Change{
			Field: c.Field, Old: c.Old, Value: api.Value{Value: c.Value, Types: c.Types, Label: c.Label, Preferred: c.Preferred},
			Address: api.Address{
				POBox: c.POBox, Extended: c.Extended, Street: c.Street, City: c.City, Region: c.Region, PostalCode: c.PostalCode, Country: c.Country,
				Types: c.Types, Label: c.Label, Preferred: c.Preferred,
			},
		}
		if removes && ch.Old == "" {
			// Whatever the caller called the value that shall go.
			if ch.Old = c.Value; ch.Old == "" {
				ch.Old = c.Street
			}
		}
		out = append(out, ch)
	}
	return out
}

// UpdateInput is the input of nc_contacts_update_contact.
type UpdateInput struct {
	Addressbook string   `json:"addressbook" jsonschema:"name or display name"`
	UID         string   `json:"uid" jsonschema:"or full name"`
	ContactData Data     `json:"contact_data,omitzero" jsonschema:"as in create, empty clears, lists replace all"`
	Add         []Change `json:"add,omitempty" jsonschema:"each field, value, types, label, or street and so on"`
	Replace     []Change `json:"replace,omitempty" jsonschema:"each field, old, value, types"`
	Remove      []Change `json:"remove,omitempty" jsonschema:"each field, value"`
	ETag        string   `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

var update = tool.New(tool.Def{
	Name:        "nc_contacts_update_contact",
	Title:       "Change a contact",
	Description: "Change only the given fields of a contact. Use add, replace and remove for one of several emails, phones, addresses or groups.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Updates,
	Tier:        tool.Core,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in UpdateInput) (*Saved, error) {
	t := api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag}
	return saved(contacts.Update(ctx, t, in.ContactData.fields(), api.Changes{
		Add: changes(in.Add, false), Replace: changes(in.Replace, false), Remove: changes(in.Remove, true),
	}))
})

// DeleteInput is the input of nc_contacts_delete_contact.
type DeleteInput struct {
	Addressbook string `json:"addressbook" jsonschema:"name or display name"`
	UID         string `json:"uid" jsonschema:"uid"`
	ETag        string `json:"etag,omitempty" jsonschema:"fails if changed since"`
}

// Deleted is a contact that was deleted, and how it comes back.
type Deleted struct {
	DeletedUID  string `json:"deleted_uid"`
	Addressbook string `json:"addressbook"`
	Name        string `json:"fn"`
	VCard       string `json:"vcard"`
	Undo        string `json:"undo"`
}

var remove = tool.New(tool.Def{
	Name:        "nc_contacts_delete_contact",
	Title:       "Delete a contact",
	Description: "Delete a contact for good. Nextcloud has no trash for contacts, so the result holds its vCard.",
	Scope:       scope.ContactsWrite,
	Effect:      tool.Deletes,
	Tier:        tool.Core,
	Object:      []string{"addressbook", "uid"},
}, func(ctx context.Context, contacts *api.Client, in DeleteInput) (*Deleted, error) {
	d, err := contacts.Delete(ctx, api.Target{Addressbook: in.Addressbook, UID: in.UID, ETag: in.ETag})
	if err != nil {
		return nil, err
	}
	text, without := withoutPhoto(d.VCard)
	return &Deleted{
		DeletedUID: d.Contact.UID, Addressbook: d.Contact.Addressbook, Name: d.Contact.Name, VCard: text,
		Undo: fmt.Sprintf("Not in any trash. nc_contacts_import_vcard makes it again: addressbook=%q, vcard as above%s.", d.Contact.Addressbook, without),
	}, nil
})

// maxVCard is the longest vCard that a result holds with its photo, in bytes.
const maxVCard = 32 << 10

// withoutPhoto leaves a large photo out of a vCard, and says so.
func withoutPhoto(text string) (short, note string) {
	if len(text) <= maxVCard {
		return text, ""
	}
	card, err := vcard.Parse([]byte(text))
	if err != nil || card.Prop("PHOTO") == nil {
		return text, ""
	}
	card.SetPhoto(nil, "")
	return string(card.Encode()), ", but its photo is lost, which was too large to show"
}
