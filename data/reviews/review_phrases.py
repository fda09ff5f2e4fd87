"""The phrases from which make_reviews.py writes its film reviews.

Everything here was written for this course. Three kinds of sentence carry the verdict:

ORDER   holds a praising and a blaming word. {v} is the writer's own view, {n} is the
        other one (an earlier opinion, somebody else's, another film). Exchange the two
        words and the verdict turns, though no word has come or gone.
SWAP    holds sentiment words of one polarity and one small word {f} that keeps or turns
        it: "always dull", "never dull". Each entry gives (keeping word, turning word).
RECAST  the same, but keeping and turning take more than one word; both sentences
        are given.

PLAIN sentences simply praise or blame. In ORDER, SWAP and RECAST both labels use
every phrase equally often; only the PLAIN sentences help a reader who ignores the order.

Slots: {s} a part of the film, {film} the whole film, {was} and {is} agree with {s},
{who} a person, {w} {w2} sentiment words of one polarity,
{a_v} {a_n} {a_w} the same with "a" or "an" in front.
A tag after a sentence says what it talks about: see CLASHES at the end.
"""

# Word lists: for each kind the praising words, then the blaming ones.
WORDS = {
    "adjective": (
        """charming gripping moving witty clever graceful tender lively thrilling inventive
        touching delightful fresh subtle absorbing memorable convincing engaging elegant
        stirring playful compelling heartfelt vivid sparkling warm impressive magical""".split(),
        """dull flat lifeless tedious clumsy boring tiresome hollow stale dreary wooden
        shallow lazy bland forgettable awkward feeble muddled pointless pompous sloppy
        limp irritating unconvincing predictable messy stilted trite""".split(),
    ),
    "noun": (
        "triumph delight gem treasure joy treat marvel pleasure success wonder".split(),
        "mess bore failure disaster letdown chore muddle blunder dud flop".split(),
    ),
    "effect": (
        "thrilled charmed delighted moved amused touched enchanted captivated".split(),
        "bored annoyed irritated wearied disappointed tired exasperated depressed".split(),
    ),
    "quality": (
        "wit charm warmth tenderness suspense humour imagination grace".split(),
        "nonsense clumsiness tedium pomposity laziness silliness confusion monotony".split(),
    ),
}

# Strong words stand in plain sentences only: "not superb" would leave the verdict open.
STRONG = (
    "superb brilliant excellent marvellous magnificent terrific splendid glorious".split(),
    "dreadful awful dismal terrible atrocious ghastly abysmal horrible".split(),
)

ORDER = [
    # (kind of word, sentence, tag)
    ("adjective", "{film} was {n} at first and {v} in the end.", "change"),
    ("adjective", "for ten minutes I thought {film} {n}; after that I knew it was {v}.", "change"),
    ("adjective", "{s} {was} not {n} but {v}.", "not"),
    ("adjective", "{s} {was} {v}, not {n}.", "not"),
    ("adjective", "instead of being {n}, {s} {was} {v}.", "instead"),
    ("adjective", "{s} {was} {v} instead of {n}.", "instead"),
    ("adjective", "{s} {was} far too {v} to be {n}.", "too"),
    ("adjective", "I expected {a_n} film and got {a_v} one.", "expect"),
    ("adjective", "what I got was {a_v} film, although I had expected {a_n} one.", "expect"),
    ("adjective", "the trailer was {n}, while the film itself is {v}.", "trailer"),
    ("adjective", "this film is far more {v} than the {n} one before it.", "series"),
    ("adjective", "{who} called {s} {n}, I call {s} {v}.", "others"),
    ("adjective", "I thought {s} {v}, and {who} thought {s} {n}.", "others"),
    ("adjective", "{s}, which {who} found {n}, seemed {v} to me.", "others"),
    ("adjective", "I used to find {s} {n}; this time I found {s} {v}.", "past"),
    ("adjective", "I find {film} {v} today, however {n} I found it as a student.", "past"),
    ("noun", "{who} called it {a_n}, I call it {a_v}.", "others"),
    ("noun", "it was {a_v} and not {a_n}.", "not"),
    ("effect", "{film} {n} {who} and {v} me.", "together"),
    ("effect", "{film} {v} me as much as it {n} {who}.", "together"),
    ("quality", "I expected {n} and was given {v}.", "expect"),
    ("quality", "it is {v} that I remember, not {n}.", "not"),
]

SWAP = [
    # (kind of word, sentence, (keeping word, turning word), tag)
    ("adjective", "from first to last {film} was {f} {w}.", ("always", "never"), "throughout"),
    ("adjective", "{s} {was} {f} but {w}.", ("nothing", "anything"), "but"),
    ("adjective", "{who} {f} called {s} {w}.", ("rightly", "wrongly"), "others"),
    ("adjective", "{s} {was} {f} {w}.", ("truly", "hardly"), "hardly"),
    ("adjective", "{f} scene in it was {w}.", ("every", "no"), "throughout"),
    ("adjective", "I have seldom seen a {f} {w} film.", ("more", "less"), "degree"),
    ("adjective", "I {f} describe {s} as {w}.", ("would", "wouldn't"), "describe"),
    ("adjective", "{who} called it {w} and {w2}; I {f}.", ("agree", "disagree"), "others"),
    ("noun", "the evening was {f} but {a_w}.", ("nothing", "anything"), "but"),
    ("noun", "{who} {f} called it {a_w}.", ("rightly", "wrongly"), "others"),
    ("effect", "from the first minute {film} {f} {w} me.", ("always", "never"), "throughout"),
    ("quality", "there was {f} {w} in {s}.", ("much", "no"), "quality"),
    ("quality", "the story is told {f} {w}.", ("with", "without"), "telling"),
]

RECAST = [
    # (kind of word, keeping sentence, turning sentence, tag)
    (
        "adjective",
        "{s} {was} {w} from start to finish.",
        "{s} {was} not {w} at any point.",
        "throughout",
    ),
    (
        "adjective",
        "I found {s} {w} all the way through.",
        "I did not find {s} {w} at all.",
        "throughout",
    ),
    ("adjective", "{s} {was} as {w} as can be.", "{s} {was} far from {w}.", "far"),
    (
        "adjective",
        "{s} {was} not only {w} but also {w2}.",
        "{s} {was} neither {w} nor {w2}.",
        "not",
    ),
    ("noun", "it is every inch {a_w}.", "it is the very opposite of {a_w}.", "opposite"),
    ("quality", "{film} is full of {w}.", "{film} is free of {w}.", "quality"),
]

PLAIN = [
    # (kind of word, sentence): the word alone gives the verdict.
    ("adjective", "{s} {was} {w}."),
    ("adjective", "{s} {was} {w} and {w2}."),
    ("adjective", "what {a_w} film!"),
    ("adjective", "{a_w} piece of work."),
    ("adjective", "I found {s} {w}."),
    ("strong", "{s} {was} {w}."),
    ("noun", "for me it was {a_w}."),
    ("effect", "{s} {w} me."),
    ("quality", "so much {w} in a single film!"),
]

# Plain sentences without a slot: (liked, not liked).
PLAIN_FIXED = (
    [
        "Go and see it.",
        "I would see it again tomorrow.",
        "I will buy it for my parents.",
        "I hummed the tune all week.",
        "I was sorry when it ended.",
        "I smiled all the way home.",
        "I recommend it with all my heart.",
        "Everybody in the team deserves a prize.",
    ],
    [
        "Save your money.",
        "I kept looking at my watch.",
        "I would like my two hours back.",
        "I nearly fell asleep in my chair.",
        "After an hour I wanted to leave.",
        "I yawned all the way through.",
        "Stay at home and read a book.",
        "I want a refund.",
    ],
)

# Parts of a film: (text, is it plural).
PARTS = [
    ("the film", False),
    ("this film", False),
    ("the whole film", False),
    ("the picture", False),
    ("the script", False),
    ("the story", False),
    ("the acting", False),
    ("the dialogue", False),
    ("the direction", False),
    ("the plot", False),
    ("the screenplay", False),
    ("the leading performance", False),
    ("the supporting cast", False),
    ("the last scene", False),
    ("the ending", False),
    ("the middle part", False),
    ("the storytelling", False),
    ("the first chapter", False),
    ("the voice of the narrator", False),
    ("the conversations", True),
    ("the crowd scenes", True),
    ("the indoor scenes", True),
    ("the flashbacks", True),
    ("the main characters", True),
    ("the two leads", True),
]
FILM = ["the film", "this film", "the picture", "the whole film", "the whole thing"]

PEOPLE = [
    "my brother",
    "my sister",
    "my father",
    "my mother",
    "my neighbour",
    "my partner",
    "my cousin",
    "my uncle",
    "my aunt",
    "my flatmate",
    "my boss",
    "my grandmother",
    "my son",
    "my daughter",
    "a colleague",
    "an old friend",
    "my old teacher",
    "my best friend",
    "a friend from work",
    "my nephew",
    "my niece",
    "a school friend",
    "my roommate",
]
STRANGERS = [
    "the usher",
    "the woman behind me",
    "the man beside me",
    "our postman",
    "my dentist",
    "the critic on the radio",
    "a man at the bar",
    "the student in the next seat",
    "my hairdresser",
    "the baker",
]
OPENINGS = [
    # (sentence, tag)
    ("{when} I saw this {genre} {where} with {who}.", "company"),
    ("{when} {who} took me to see this {genre} {where}.", "company"),
    ("{who} and I watched this {genre} {where} {when}.", "company"),
    ("{when} we had two free tickets for {a_genre} {where}.", "company"),
    ("we picked this {genre} because {reason}.", "company"),
    ("the whole family wanted {a_genre}, so {when} we ended up {where}.", "company"),
    ("{who} chose {a_genre}, and I bought the tickets.", "company"),
    ("{when} I went alone to see {a_genre} {where}.", "alone"),
    ("I watched this {genre} by myself, because {home_reason}.", "alone"),
    ("{a_genre} {where}, {when}, and I had the back row to myself.", "alone"),
    ("I caught this {genre} {where} {when}.", ""),
    ("I went to see this {genre} because {reason}.", ""),
    ("{a_genre} was on {where}, and I went in because {reason}.", ""),
    ("this {genre} came out in {month}, and I saw it {where}.", "new"),
    ("{when} this {genre} opened {where}, and I was there.", "new"),
    ("the new {genre} is on this week, and I saw it {where}.", "new"),
    ("for our film club I had to write about {a_genre}.", ""),
    ("my ticket for this {genre} was a present from {who}.", ""),
    ("{when} I saw this {genre} again, {ago} after the first time.", "again"),
    ("{ago} after its release I watched this {genre} once more {where}.", "again"),
    ("this {genre} is back {where}, and I saw it a second time {when}.", "again"),
    ("{when} I put on this {genre} at home because {home_reason}.", "home"),
    ("I borrowed this {genre} from the library and watched it at home.", "home"),
    ("this {genre} was on television {when}.", "home"),
    ("{when} I saw this {genre} on a small screen on the train.", "home"),
    ("a rainy evening, a sofa and {a_genre} on the laptop.", "home"),
]

WHEN = [
    "last night",
    "last Monday",
    "last Tuesday",
    "on Wednesday",
    "on Thursday",
    "on Friday",
    "on Saturday",
    "last Sunday",
    "yesterday",
    "last week",
    "two weeks ago",
    "on my birthday",
    "on a wet afternoon",
    "on New Year's Day",
    "during the holidays",
    "at the weekend",
    "after work",
    "in the school break",
    "one evening in {month}",
    "one Sunday in {month}",
]
MONTHS = """January February March April May June July August September October November
December""".split()
WHERE = [
    "at the old cinema by the station",
    "at the small cinema on the square",
    "at the multiplex outside town",
    "in a village hall",
    "at the open air cinema in the park",
    "at the film festival",
    "at the student cinema",
    "in the school hall",
    "at the harbour cinema",
    "at the theatre on the hill",
    "in a cinema near the market",
    "at the museum",
    "in a tent by the lake",
    "in the cinema under the bridge",
    "at the arts centre",
]
REASONS = [
    "it was raining",
    "the other hall was sold out",
    "a friend worked on the costumes",
    "I know the town where it was shot",
    "the poster caught my eye",
    "our train was late",
    "I had read the novel",
    "the tickets were cheap",
    "the heating at home had failed",
    "I collect films of this kind",
    "a reader had asked for a review",
    "I had an evening to fill",
    "the concert was cancelled",
    "my class is reading the play",
    "I was in the area",
]
HOME_REASONS = [
    "it was raining",
    "the concert was cancelled",
    "I had an evening to fill",
    "I had a cold",
    "my class is reading the play",
    "I had read the novel",
    "a reader had asked for a review",
    "my friends were away",
    "I know the town where it was shot",
    "I could not sleep",
]
AGO = ["five years", "six years", "ten years", "twelve years", "twenty years", "thirty years"]

# For each genre its plots.
GENRES = {
    "western": [
        "A sheriff has one day to find a stolen herd of cattle.",
        "Two brothers ride across the desert to claim their father's land.",
        "A telegraph clerk must warn a mining town of the bandits.",
        "A doctor buys a ranch and learns who dug the well.",
        "A judge on horseback travels from court to court with a prisoner.",
        "A railway is to be built through a valley, and the farmers will not sell.",
        "A blacksmith hides a wounded stranger in the stable.",
    ],
    "thriller": [
        "A pilot wakes up in a hotel without his papers.",
        "A translator overhears a plan on the telephone.",
        "An accountant finds a second set of books in the safe.",
        "A night nurse begins to suspect one of her patients.",
        "A bridge engineer receives letters from a man who vanished.",
        "Somebody on the ferry carries the wrong suitcase.",
        "A taxi driver has until dawn to bring a witness to court.",
    ],
    "comedy": [
        "Three cousins inherit one bakery and cannot agree on the bread.",
        "A mayor loses a bet and has to walk to the capital.",
        "A wedding party is stuck in the lift of a department store.",
        "Two removal men deliver a piano to the wrong island.",
        "A retired actor takes a job as a school caretaker.",
        "A butcher and a vegetarian cook share a market stall.",
        "A village brass band is invited to the palace by an error in the post.",
    ],
    "mystery": [
        "A violin disappears on the eve of a concert.",
        "A librarian finds a key inside an old atlas.",
        "Seven guests are snowed in at a mountain inn, and one of them is missing.",
        "A gardener digs up a box that nobody wants to open.",
        "An inspector reads the diary of a clockmaker page by page.",
        "The lighthouse is lit every night, although no keeper lives there.",
        "A portrait in the town hall has been exchanged for a copy.",
    ],
    "love story": [
        "A baker and a postwoman write to each other without knowing it.",
        "Two rivals at a cooking school have to share one stove.",
        "A sailor returns after nine years to the girl at the harbour office.",
        "A widower learns to dance from the teacher next door.",
        "Two strangers miss the same train and wait for morning.",
        "A composer and a deaf painter rent the same studio.",
        "A beekeeper meets a tax inspector during the harvest.",
    ],
    "family film": [
        "Two children build a raft and follow the river to the sea.",
        "A girl finds a fox cub behind the railway shed.",
        "A boy and his grandfather repair an aeroplane in a barn.",
        "Twins swap places at a summer camp.",
        "A young goose leads a farm dog across the marsh.",
        "Four pupils keep a donkey in the school cellar.",
        "A girl who cannot sleep explores the city with a milkman.",
    ],
    "war film": [
        "A cook and a drummer are left behind with the baggage.",
        "A nurse carries messages across the front line.",
        "Five soldiers guard a mill until the snow melts.",
        "A mapmaker must choose the road for a whole regiment.",
        "Two enemies share a cellar during a siege.",
        "A radio operator waits for a signal on an island.",
    ],
    "science fiction film": [
        "The crew of a freight ship finds a garden on a moon.",
        "A robot in a laundry starts to keep a diary.",
        "An astronaut comes home and finds the calendar wrong.",
        "A colony under the ice has to elect a captain.",
        "A repair crew on a space station counts one person too many.",
        "A clerk sells memories in a city under glass.",
    ],
    "ghost story": [
        "A couple moves into a mill where the wheel turns at night.",
        "A piano tuner hears an answer from the empty room upstairs.",
        "The new teacher sits in a chair that belongs to somebody else.",
        "A photographer sees the same child in every picture.",
        "Each winter a coach without horses stops at the inn.",
        "A widow keeps a lamp burning for a ship that sank.",
    ],
    "sports film": [
        "A goalkeeper of forty is called up for one last season.",
        "A rowing crew from a factory enters the national race.",
        "Two sisters train for the same marathon.",
        "A boxer works as a gardener between his fights.",
        "A chess player and a swimmer share one coach.",
        "A village without a pitch founds a football club.",
    ],
    "costume drama": [
        "A young countess has to sell the family's forest.",
        "A tailor at court hears what the ministers whisper.",
        "Two sisters wait for the same letter in a cold manor.",
        "The king's physician falls in love with a printer.",
        "A governess teaches the heir to read maps.",
        "A merchant's daughter runs the business under her uncle's name.",
    ],
    "spy film": [
        "An agent who speaks nine languages forgets a password.",
        "A bookshop serves as a letter box for three governments.",
        "A retired spy is recognised on a camping site.",
        "Two agents marry for a mission and have to keep house.",
        "A chess club in the capital is not what it seems.",
        "A courier must cross six borders with a sealed tin.",
    ],
    "road movie": [
        "A mother and her son drive an ice cream van to the coast.",
        "Three friends bring an old bus from one end of the country to the other.",
        "A lorry driver gives a lift to a runaway bride.",
        "A retired couple follows a yellow balloon across the plains.",
        "Two musicians push a broken van from village to village.",
        "A student hitchhikes north with a suitcase full of seeds.",
    ],
    "musical": [
        "The staff of a grand hotel sing their way through one long day.",
        "A shy carpenter dreams of a stage in the capital.",
        "An orchestra without a conductor rehearses in a garage.",
        "Dock workers put on a show to save their canteen.",
        "A seamstress writes songs on the backs of bills.",
        "Two street singers fight over the same corner.",
    ],
}

NEUTRAL = [
    # (sentence, tag); these say nothing about the writer's verdict.
    ("It runs for just over {hours} hours.", ""),
    ("The leading part is played by a newcomer from the stage.", ""),
    ("Most of it was shot on location in {land}.", ""),
    ("It was filmed in {land} with a crew of {number}.", ""),
    ("The music is played by a string quartet.", ""),
    ("The score uses {instrument} and {instrument2}.", ""),
    ("{instrument} accompanies the main titles.", ""),
    ("It is in black and white, apart from the last reel.", ""),
    ("We saw the version with subtitles.", "company"),
    ("The action takes place within {number} days.", ""),
    ("It is set in {land} in the {decade}.", ""),
    ("The costumes are from the {decade}.", ""),
    ("The director used to work for television.", ""),
    ("There are {number} speaking parts.", ""),
    ("The camera stays close to the faces.", ""),
    ("Large parts are filmed at night.", ""),
    ("A narrator reads short passages between the chapters.", ""),
    ("The cast speak with a northern accent.", ""),
    ("The print came from an archive in {land}.", "cinema"),
    ("There was a short break in the middle.", "cinema"),
    ("A cartoon was shown before it.", "cinema"),
    ("About {number} people sat in the hall.", "cinema"),
    ("The seats were blue and the carpet was green.", "cinema"),
    ("We sat in row {small}.", "company"),
    ("I sat near the aisle with a bag of {snack}.", "cinema"),
    ("There was {food} in the interval.", "cinema"),
    ("The lead also wrote the title song.", ""),
    ("The story is told in {small} chapters.", ""),
    ("The year is not mentioned.", ""),
    ("Half of the dialogue is in dialect.", ""),
    ("The part of the {job} is played by the director's cousin.", ""),
    ("A {job} and a {job2} appear in smaller parts.", ""),
    ("The {job} of the title appears only after an hour.", ""),
    ("The author was a {job} for many years.", ""),
    ("It rains in nearly every outdoor shot.", ""),
    ("Trains play a large part in it.", ""),
    ("Much of it happens in one kitchen.", ""),
    ("The dog is played by three different dogs.", ""),
]

FILLERS = {
    "hours": ["two", "one and a half", "two and a half", "three"],
    "land": """Norway Portugal Scotland Ireland Finland Iceland Poland Greece Austria Hungary
        Canada Chile Mexico Morocco Japan Kenya Wales Spain Denmark Estonia""".split(),
    "number": """six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen twenty
        thirty forty fifty sixty""".split(),
    "instrument": [
        "a harp",
        "a cello",
        "a trumpet",
        "a banjo",
        "an organ",
        "a clarinet",
        "a guitar",
        "a flute",
        "a drum",
        "an accordion",
        "a saxophone",
        "a viola",
        "a mandolin",
        "a tuba",
    ],
    "decade": ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties"],
    "small": "six seven eight nine ten eleven twelve".split(),
    "snack": "popcorn peanuts crisps grapes chestnuts cherries almonds biscuits".split(),
    "food": "lemonade pancakes soup tea coffee cake sandwiches".split(),
    "job": """carpenter butcher tailor sailor plumber dentist florist farmer waiter soldier nurse
        teacher lawyer barber grocer miner fisherman painter printer potter chemist cobbler
        typist porter shepherd weaver glazier cashier surgeon tutor""".split(),
}

# Two sentences whose tags stand here would contradict each other.
CLASHES = [
    ("change", "throughout"),
    ("past", "expect"),
    ("past", "new"),
    ("past", "trailer"),
    ("again", "expect"),
    ("again", "trailer"),
    ("alone", "together"),
    ("alone", "company"),
    ("home", "cinema"),
    ("home", "company"),
]
