//! Reads the XML of an event, token by token, into a [`Record`]. EVTX's binary XML and text XML both come through here, so
//! that they cannot differ. It knows the layout of `Event`, not what the values mean.

use super::{Record, System};

/// The names that the layout knows; every other name is [`Name::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    Event,
    System,
    EventData,
    UserData,
    RenderingInfo,
    Data,
    Binary,
    Provider,
    EventId,
    Version,
    Level,
    Task,
    Opcode,
    Keywords,
    TimeCreated,
    EventRecordId,
    Correlation,
    Execution,
    Channel,
    Computer,
    Security,
    Message,
    /// The attributes.
    Called,
    Guid,
    SystemTime,
    ActivityId,
    ProcessId,
    ThreadId,
    UserId,
    Other,
}

impl Name {
    /// The known name that `text` is.
    pub fn of(text: &str) -> Self {
        match text {
            "Event" => Self::Event,
            "System" => Self::System,
            "EventData" => Self::EventData,
            "UserData" => Self::UserData,
            "RenderingInfo" => Self::RenderingInfo,
            "Data" => Self::Data,
            "Binary" => Self::Binary,
            "Provider" => Self::Provider,
            "EventID" => Self::EventId,
            "Version" => Self::Version,
            "Level" => Self::Level,
            "Task" => Self::Task,
            "Opcode" => Self::Opcode,
            "Keywords" => Self::Keywords,
            "TimeCreated" => Self::TimeCreated,
            "EventRecordID" => Self::EventRecordId,
            "Correlation" => Self::Correlation,
            "Execution" => Self::Execution,
            "Channel" => Self::Channel,
            "Computer" => Self::Computer,
            "Security" => Self::Security,
            "Message" => Self::Message,
            "Name" => Self::Called,
            "Guid" => Self::Guid,
            "SystemTime" => Self::SystemTime,
            "ActivityID" => Self::ActivityId,
            "ProcessID" => Self::ProcessId,
            "ThreadID" => Self::ThreadId,
            "UserID" => Self::UserId,
            _ => Self::Other,
        }
    }
}

/// What the text inside the current element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Above `Event`.
    Outside,
    /// An element whose text is not wanted.
    Skipped,
    Event,
    System,
    /// The text is this value.
    Value(System),
    /// A child of `System` that has only attributes.
    Attributes(Name),
    EventData,
    /// One value of the event data; its name is in the buffer already.
    Datum,
    UserData,
    /// Below the one child of `UserData`.
    UserFields,
    RenderingInfo,
}

/// Fills a record from the tokens of its XML.
#[derive(Debug)]
pub struct Tree<'r> {
    record: &'r mut Record,
    places: Vec<Place>,
    /// Where the current value (or attribute value) starts in the buffer.
    start: usize,
    /// Where the current datum's name starts, and where it ends.
    name: (usize, usize),
    unnamed: usize,
    attribute: Option<System>,
    naming: bool,
}

impl<'r> Tree<'r> {
    /// A reader for one record, which is cleared.
    pub fn new(record: &'r mut Record) -> Self {
        record.clear();
        Self {
            record,
            places: Vec::with_capacity(8),
            start: 0,
            name: (0, 0),
            unnamed: 0,
            attribute: None,
            naming: false,
        }
    }

    /// A reader of what lies in the element `Event` of a record, which is cleared.
    pub fn inside_event(record: &'r mut Record) -> Self {
        let mut tree = Self::new(record);
        tree.places.push(Place::Event);
        tree
    }

    /// Whether the current element is `Event` itself.
    pub fn is_in_event(&self) -> bool {
        self.place() == Place::Event
    }

    fn place(&self) -> Place {
        self.places.last().copied().unwrap_or(Place::Outside)
    }

    /// An element starts.
    pub fn start(&mut self, name: Name, text: &str) {
        let place = match (self.place(), name) {
            (Place::Outside, Name::Event) => Place::Event,
            (Place::Event, Name::System) => Place::System,
            (Place::Event, Name::EventData) => Place::EventData,
            (Place::Event, Name::UserData) => Place::UserData,
            (Place::Event, Name::RenderingInfo) => Place::RenderingInfo,
            (Place::System, name) => Self::system_child(name),
            (Place::RenderingInfo, name) => Self::rendered(name),
            (Place::EventData, Name::Data) => self.datum(""),
            (Place::EventData, Name::Binary) => self.datum("Binary"),
            (Place::UserData, _) => {
                self.record.set(System::UserDataName, text);
                Place::UserFields
            }
            (Place::UserFields | Place::Datum, _) => self.datum(text),
            _ => Place::Skipped,
        };
        self.start = self.record.mark();
        self.places.push(place);
    }

    fn datum(&mut self, name: &str) -> Place {
        let start = self.record.mark();
        self.record.text().push_str(name);
        self.name = (start, self.record.mark());
        Place::Datum
    }

    fn system_child(name: Name) -> Place {
        Place::Value(match name {
            Name::EventId => System::EventId,
            Name::Version => System::Version,
            Name::Level => System::Level,
            Name::Task => System::Task,
            Name::Opcode => System::Opcode,
            Name::Keywords => System::Keywords,
            Name::EventRecordId => System::RecordId,
            Name::Channel => System::Channel,
            Name::Computer => System::Computer,
            other => return Place::Attributes(other),
        })
    }

    fn rendered(name: Name) -> Place {
        Place::Value(match name {
            Name::Message => System::Message,
            Name::Level => System::LevelName,
            Name::Task => System::TaskName,
            Name::Opcode => System::OpcodeName,
            _ => return Place::Skipped,
        })
    }

    /// An attribute of the current element starts; its text follows.
    pub fn attribute(&mut self, name: Name) {
        self.finish_attribute();
        match (self.place(), name) {
            (Place::Attributes(Name::Provider), Name::Called) => self.attribute = Some(System::Provider),
            (Place::Attributes(Name::Provider), Name::Guid) => self.attribute = Some(System::ProviderGuid),
            (Place::Attributes(Name::TimeCreated), Name::SystemTime) => self.attribute = Some(System::Time),
            (Place::Attributes(Name::Correlation), Name::ActivityId) => self.attribute = Some(System::ActivityId),
            (Place::Attributes(Name::Execution), Name::ProcessId) => self.attribute = Some(System::ProcessId),
            (Place::Attributes(Name::Execution), Name::ThreadId) => self.attribute = Some(System::ThreadId),
            (Place::Attributes(Name::Security), Name::UserId) => self.attribute = Some(System::UserId),
            (Place::Datum, Name::Called) => self.naming = true,
            _ => self.attribute = Some(System::UserDataName),
        }
        if self.attribute == Some(System::UserDataName) {
            // An attribute that nothing wants: its text is dropped in `finish_attribute`.
            self.start = self.record.mark();
            return;
        }
        self.start = self.record.mark();
        if self.naming {
            self.name.0 = self.start;
        }
    }

    fn finish_attribute(&mut self) {
        if self.naming {
            self.naming = false;
            self.name.1 = self.record.mark();
        } else if let Some(field) = self.attribute.take() {
            if field == System::UserDataName {
                let start = self.start;
                self.record.text().truncate(start);
            } else {
                let start = self.start;
                self.record.set_from(field, start);
            }
        } else {
            return;
        }
        self.start = self.record.mark();
    }

    /// The attributes of the current element are over.
    pub fn content(&mut self) {
        self.finish_attribute();
    }

    /// Where the text of the current value or attribute goes; `None` if nothing wants it.
    pub fn text(&mut self) -> Option<&mut String> {
        let wanted = self.naming || self.attribute.is_some() || matches!(self.place(), Place::Value(_) | Place::Datum);
        wanted.then(|| self.record.text())
    }

    /// The current element ends.
    pub fn end(&mut self) {
        self.finish_attribute();
        match self.places.pop() {
            Some(Place::Value(field)) => {
                let start = self.start;
                self.record.set_from(field, start);
            }
            Some(Place::Datum) => self.finish_datum(),
            _ => {}
        }
    }

    /// A datum without a name is called by its number, as Winlogbeat does.
    fn finish_datum(&mut self) {
        let (name, value) = self.name;
        if name == value {
            if self.start < value || self.record.mark() < value {
                return; // an element around others: its children were the values
            }
            self.unnamed += 1;
            let text = self.record.text()[value..].to_owned();
            self.record.text().truncate(value);
            let name = format!("param{}", self.unnamed);
            self.record.push(&name, &text);
        } else if self.record.mark() >= value && self.name.0 != usize::MAX {
            self.record.push_from(name, value);
        }
        self.name = (usize::MAX, usize::MAX);
        self.start = self.record.mark();
    }
}
