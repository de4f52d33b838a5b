package nir

// acts says which roles may do what: a method of [Tx] by its name, and the roles of
// which one is enough. [NIRStaff] may do it for their own NIR alone. What somebody
// approves is not here: there a signature decides, and its key's role
// ([Tx.Approve]); and proposals of other kinds say who may make them.
//
// The table is what docs/records.md tells people; the methods judge by themselves, and a
// test tries every method with every set of roles against it, and finds the ones
// that are missing here.
var acts = map[string][]Role{
	"PutNIR":    {Admin},
	"SetWindow": {Admin, RegistryStaff},
	"AddPool":   {Admin},

	"ChangePool": {Admin},
	"MergePools": {Admin},
	"ShrinkPool": {Admin},
	"SplitPool":  {Admin},
	"Import":     {RegistryStaff, Admin},
	"Onboard":    {Admin},
	"ProposeKey": {Admin, RegistryStaff},
	"Activate":   {Admin},
	"Offboard":   {Admin},

	"AddMember":    {NIRStaff, RegistryStaff, Admin},
	"ChangeMember": {NIRStaff, RegistryStaff, Admin},
	"Join":         {NIRStaff, RegistryStaff, Admin},
	"Serve":        {RegistryStaff, Admin},
	"Leave":        {RegistryStaff, Admin},

	"Submit":          {NIRStaff, RegistryStaff, Admin},
	"Answer":          {NIRStaff, RegistryStaff, Admin},
	"Withdraw":        {NIRStaff, RegistryStaff, Admin},
	"CloseRequest":    {NIRStaff, RegistryStaff, Admin},
	"AskAbout":        {RegistryStaff},
	"Refuse":          {RegistryStaff},
	"ProposeApproval": {RegistryStaff},
	"RetryHeld":       {RegistryStaff, Admin},
	"RetryAll":        {RegistryStaff, Admin},
	"NoticeOverdue":   {RegistryStaff, Admin},

	"AddReturn":      {NIRStaff, RegistryStaff, Admin},
	"WithdrawReturn": {NIRStaff, RegistryStaff, Admin},
	"ReviewReturn":   {RegistryStaff, Admin},
	"AddTransfer":    {NIRStaff, RegistryStaff, Admin}, // of what the NIR gives; so the lines
	"AddLine":        {NIRStaff, RegistryStaff, Admin},
	"Reschedule":     {NIRStaff, RegistryStaff, Admin},
	"CancelLine":     {NIRStaff, RegistryStaff, Admin},
	"CancelTransfer": {NIRStaff, RegistryStaff, Admin},
	"CompleteLine":   {RegistryStaff, Admin},
	"RunDue":         {RegistryStaff, Admin},

	"Register":        {NIRStaff, RegistryStaff, Admin},
	"PutWhois":        {NIRStaff, RegistryStaff, Admin},
	"DeleteWhois":     {NIRStaff, RegistryStaff, Admin},
	"ValidateIRT":     {NIRStaff, RegistryStaff, Admin},
	"SetDomain":       {NIRStaff, RegistryStaff, Admin},
	"SwitchOption":    {NIRStaff, RegistryStaff, Admin},
	"DeclareExternal": {NIRStaff, RegistryStaff, Admin},
	"DescribeMissing": {RegistryStaff, Admin},
	"RemindIRT":       {RegistryStaff, Admin},
	"MirrorWhois":     {RegistryStaff, Admin},
	"CheckMirrors":    {RegistryStaff, Admin},
	"ReleaseMirror":   {RegistryStaff, Admin},

	"RecordFeeds":   {RegistryStaff, Admin},
	"ImportNotices": {RegistryStaff, Admin},
	"AckNotice":     {NIRStaff, RegistryStaff, Admin}, // of the NIR that is told
	"ResendDigest":  {RegistryStaff, Admin},

	"RecordDisclosure": {RegistryStaff},
	"AnswerPublic":     {RegistryStaff},
	"RefuseDisclosure": {RegistryStaff},
	"ProposeRelease":   {RegistryStaff},
}
