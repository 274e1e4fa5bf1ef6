package nextcloudtest

import (
	"fmt"
	"image/color"
	"time"
)

// agedFile is a sample file that was last changed some time ago.
type agedFile struct {
	path    string
	content string
	age     time.Duration
}

var sampleFiles = []agedFile{
	{"Readme.md", "# Welcome\n\nThese files are here so that there is something to ask about.\n", 120 * day},
	{"Documents/Rental agreement.txt", "Rental agreement\n\nFlat 12, Garden Street 4. Rent: 870 EUR a month, due on the 3rd.\nNotice period: three months to the end of a month.\n", 300 * day},
	{"Documents/Garden plan.md", "# Garden plan\n\n- March: sow tomatoes indoors\n- April: repair the rain barrel\n- May: beans, pumpkins\n- September: compost\n", 45 * day},
	{"Documents/Invoices/2026-03 Garden centre.txt", "Invoice 20260317\nPotting soil 3 x 8.90 EUR\nTomato seeds 4.50 EUR\nTotal 31.20 EUR\n", 30 * day},
	{"Documents/Invoices/2026-04 Internet.txt", "Invoice 88421\nInternet access April\nTotal 39.95 EUR\n", 20 * day},
	{"Documents/Budget.csv", "month,income,rent,food,other\nJanuary,2600,870,410,520\nFebruary,2600,870,385,610\nMarch,2750,870,402,480\n", 10 * day},
	{"Work/Release plan.md", "# Release plan\n\n1. Freeze on Monday\n2. Candidate on Wednesday\n3. Release on Friday, when nothing stands in the way\n", 3 * day},
	{"Work/Customers.csv", "name,city,since\nMüller & Söhne,Köln,2019\nNordlicht,Kiel,2021\nCasa Verde,Lisboa,2024\n", 8 * day},
}

// loadSampleFiles fills an account with a few folders.
func (s *Server) loadSampleFiles(userID string) {
	now := s.now()
	for _, f := range sampleFiles {
		s.AddFileAt(userID, f.path, []byte(f.content), now.Add(-f.age))
	}
	for i, c := range []color.RGBA{{0x2e, 0x7d, 0x32, 0xff}, {0xf9, 0xa8, 0x25, 0xff}, {0x15, 0x65, 0xc0, 0xff}} {
		s.AddFileAt(userID, fmt.Sprintf("Photos/Holiday %d.png", i+1), square(96, c), now.Add(-time.Duration(60+i)*day))
	}
	s.SetFavorite(userID, "Documents/Budget.csv", true)
	s.AddTag(userID, "Important", "Documents/Rental agreement.txt")
	s.AddTag(userID, "Tax 2026", "Documents/Invoices/2026-03 Garden centre.txt", "Documents/Invoices/2026-04 Internet.txt")
}
