namespace CudaSeq.Models;

/// <summary>Invented data on which the small models of papers can be told from their baselines within seconds. The same seed gives the same data on every machine.</summary>
public static class SyntheticTasks
{
    /// <summary>Tokens of <see cref="NearestMatch"/>.</summary>
    public static int NearestMatchVocabulary => MarkToken + 1 + NearestMatchClasses + Fillers;

    /// <summary>Classes of <see cref="NearestMatch"/>.</summary>
    public static int NearestMatchClasses => 4;

    /// <summary>Tokens of <see cref="TwoBlockQuestions"/>.</summary>
    public static int TwoBlockVocabulary => FirstTitle + 1 + (2 * Kinds) + (Kinds * Kinds) + Fillers;

    /// <summary>Tokens of <see cref="Domains"/>.</summary>
    public static int DomainVocabulary => FirstFiller + Fillers;

    private const int MarkToken = Vocabulary.SpecialCount;
    private const int Fillers = 10;
    private const int Kinds = 4;
    private const int FirstTitle = Vocabulary.SpecialCount + 2;
    private const int FirstName = FirstTitle + 1 + Kinds;
    private const int DomainCount = 3;
    private const int Nouns = 10;
    private const int Opinions = 40;
    private const int FirstGood = Vocabulary.SpecialCount + (DomainCount * Nouns);
    private const int FirstBad = FirstGood + Opinions;
    private const int FirstAmbiguous = FirstBad + Opinions;
    private const int FirstFiller = FirstAmbiguous + 4;

    // Whether an ambiguous word is good, in each domain: no word means the same everywhere.
    private static readonly bool[][] AmbiguousIsGood =
        [[true, true, false], [true, false, true], [false, true, false], [false, false, true]];

    /// <summary>
    /// Texts with one mark among fillers and four words of different classes: the class is that of the word nearest to the mark, on either side. No word or order of words tells it, distance
    /// does.
    /// </summary>
    /// <param name="count">Texts.</param>
    /// <param name="seed">Of the draw.</param>
    /// <param name="length">Tokens of a text, at least 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">The texts are shorter.</exception>
    public static (IReadOnlyList<IReadOnlyList<int>> Texts, IReadOnlyList<int> Classes) NearestMatch(int count, int seed, int length = 20)
    {
        if (length < 8)
            throw new ArgumentOutOfRangeException(null, $"SyntheticTasks: a text must have at least 8 tokens, got {length}.");
        var random = new Random(seed);
        var texts = new List<IReadOnlyList<int>>();
        var classes = new List<int>();
        while (texts.Count < count)
        {
            int[] places = [.. Enumerable.Range(0, length)];
            random.Shuffle(places);
            int mark = places[0];
            int[] words = places[1..(1 + NearestMatchClasses)];
            int[] distances = [.. words.Select(w => Math.Abs(w - mark)).Order()];
            if (distances[0] == distances[1])
                continue;
            int[] text = [.. Enumerable.Range(0, length).Select(_ => MarkToken + 1 + NearestMatchClasses + random.Next(Fillers))];
            text[mark] = MarkToken;
            for (int c = 0; c < NearestMatchClasses; c++)
                text[words[c]] = MarkToken + 1 + c;
            texts.Add(text);
            classes.Add(Array.FindIndex(words, w => Math.Abs(w - mark) == distances[0]));
        }

        return (texts, classes);
    }

    /// <summary>
    /// Documents in which one block says who won and who lost, each "title name", and another who lives where, each a word for name and city together, and the question where the winner
    /// lives. Neither block answers alone.
    /// </summary>
    /// <param name="documents">How many.</param>
    /// <param name="seed">Of the draw.</param>
    /// <param name="blockLength">Tokens of a block: three of the question and the text.</param>
    /// <param name="persons">Persons of a document; with as many a block alone finds one answer in so many.</param>
    /// <returns>The blocks of each document.</returns>
    /// <exception cref="ArgumentException">A block has no room for its facts.</exception>
    public static IReadOnlyList<IReadOnlyList<ReadBlock>> TwoBlockQuestions(int documents, int seed, int blockLength = 16, int persons = 3)
    {
        int room = blockLength - 3;
        if (persons is < 1 or > Kinds || room < 2 * persons)
            throw new ArgumentException($"SyntheticTasks: a block must have room for the facts of 1 to {Kinds} persons, got {blockLength} tokens and {persons} persons.");
        var random = new Random(seed);
        return [.. Enumerable.Range(1, documents).Select(document =>
        {
            int[][] drawn = [[.. Enumerable.Range(1, persons)], Drawn(), Drawn()];
            int asked = random.Next(persons), titles = random.Next(2);
            drawn[0][asked] = 0;
            return (IReadOnlyList<ReadBlock>)[.. Enumerable.Range(0, 2).Select(block => Block(document, block, drawn, asked, block == titles))];
        })];

        int[] Drawn()
        {
            int[] kinds = [.. Enumerable.Range(0, Kinds)];
            random.Shuffle(kinds);
            return kinds[..persons];
        }

        ReadBlock Block(int document, int position, int[][] drawn, int asked, bool titles)
        {
            int[] order = [.. Enumerable.Range(0, persons)];
            random.Shuffle(order);
            var tokens = new List<int> { FirstTitle - 2, FirstTitle - 1, FirstTitle };
            var mentions = new List<Mention>();
            var answers = new List<(int, int)>();
            int fillers = room - (2 * persons);
            foreach (int person in order)
            {
                for (int gap = random.Next(1 + (2 * fillers / persons)); gap > 0 && fillers > 0; gap--, fillers--)
                    tokens.Add(Filler());
                int at = tokens.Count, name = FirstName + drawn[1][person];
                tokens.AddRange(titles ? [FirstTitle + drawn[0][person], name] : [FirstName + Kinds + (Kinds * drawn[1][person]) + drawn[2][person]]);
                mentions.Add(new Mention(at, tokens.Count - 1, 2 + name));
                if (!titles && person == asked)
                    answers.Add((at, at));
            }

            while (tokens.Count < blockLength)
                tokens.Add(Filler());
            return new ReadBlock(document, position, tokens, 3, mentions, answers);
        }

        int Filler() => FirstName + Kinds + (Kinds * Kinds) + random.Next(Fillers);
    }

    /// <summary>
    /// Three owners of texts on one domain each, of classes 0 bad, 1 neither, 2 good. Of the opinions half are words that mean the same everywhere, of which an owner has seen some, and half
    /// are words that are good in one domain and bad in another.
    /// </summary>
    /// <param name="texts">Texts that each owner trains on; as many again are for choosing and three times as many for testing.</param>
    /// <param name="seed">Of the draw.</param>
    public static IReadOnlyList<FederatedNode> Domains(int texts, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, DomainCount).Select(domain => new FederatedNode(Texts(domain, texts), Texts(domain, texts), Texts(domain, 3 * texts)))];

        ClassifiedText[] Texts(int domain, int count) => [.. Enumerable.Range(0, count).Select(_ => Text(domain))];

        ClassifiedText Text(int domain)
        {
            int label = random.Next(3);
            var tokens = new List<int>();
            for (int i = 0; i < 4; i++)
            {
                tokens.Add(Vocabulary.SpecialCount + (domain * Nouns) + random.Next(Nouns));
                tokens.Add(FirstFiller + random.Next(Fillers));
            }

            if (label != 1)
            {
                int[] fitting = [.. Enumerable.Range(0, AmbiguousIsGood.Length).Where(w => AmbiguousIsGood[w][domain] == (label == 2))];
                tokens.Add(random.Next(2) == 0 ? (label == 2 ? FirstGood : FirstBad) + random.Next(Opinions) : FirstAmbiguous + fitting[random.Next(fitting.Length)]);
            }

            int[] text = [.. tokens];
            random.Shuffle(text);
            return new ClassifiedText(text, label);
        }
    }

    /// <summary>
    /// Questions of a crowd most of which follows a rumour, which is wrong three times in five, and some of which knows better and says why. Those who know grow more with time, so that
    /// votes get better.
    /// </summary>
    /// <param name="count">Questions.</param>
    /// <param name="seed">Of the draw.</param>
    /// <param name="days">Days of each question, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public static IReadOnlyList<CrowdQuestion> Crowd(int count, int seed, int days = 8)
    {
        if (days < 1)
            throw new ArgumentOutOfRangeException(null, $"SyntheticTasks: a question must have at least 1 day, got {days}.");
        string[] know = ["according to the official report", "the ministry confirmed this today", "three independent sources agree", "the signed agreement is published"];
        string[] words = [.. Enumerable.Range(0, 40).Select(i => FormattableString.Invariant($"w{i}"))];
        string[] guess = ["just a hunch", "everybody says so", "I have a feeling about this one", "no idea, following the others"];
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(Question)];

        CrowdQuestion Question(int id)
        {
            bool answer = random.Next(3) == 0, rumour = random.Next(5) < 3 ? !answer : answer;
            var forecasts = new List<CrowdForecast>();
            for (int day = 0; day < days; day++)
            {
                int said = 1 + random.Next(4);
                for (int i = 0; i < said; i++)
                {
                    bool knows = random.NextDouble() < 0.2 + (0.4 * day / days);
                    double sure = 0.55 + (0.4 * random.NextDouble());
                    string text = (knows ? know : guess)[random.Next(4)];
                    forecasts.Add(new CrowdForecast(
                        random.Next(12),
                        new DateTimeOffset(2020, 1, 1, 1 + i, 0, 0, TimeSpan.Zero).AddDays(day),
                        (knows ? answer : rumour) ? sure : 1 - sure,
                        $"{text} {words[random.Next(40)]} {words[random.Next(40)]}"));
                }
            }

            forecasts.Reverse();
            return new CrowdQuestion(FormattableString.Invariant($"q{id}"), "will it happen", answer, null, forecasts);
        }
    }
}
