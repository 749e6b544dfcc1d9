namespace CudaSeq.Models;

/// <summary>
/// The public data sets that recipes and pages speak of. Every address names a commit, and every file has a checksum, so that today's download and
/// next year's are the same bytes or none.
/// </summary>
public static class DataSets
{
    private const string Raw = "https://raw.githubusercontent.com";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DataSet> All { get; } = [Multi30k(), Enja(), Tatoeba(), WikiText2(), TinyShakespeare(), G2P(), Jfleg(), UaGec(), SciTldr()];

    /// <summary>The data set of a name.</summary>
    /// <param name="name">One of the names in <see cref="All"/>.</param>
    /// <exception cref="ArgumentException">No data set has this name.</exception>
    public static DataSet Named(string name)
        => All.FirstOrDefault(s => s.Name == name)
        ?? throw new ArgumentException($"unknown data set {name}{(NearestName.Of(name, All.Select(s => s.Name)) is { } near ? $", did you mean {near}?" : $"; the data sets are {string.Join(", ", All.Select(s => s.Name))}.")}");

    private static DataSet Multi30k()
    {
        const string At = "multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1";
        return new(
            "multi30k",
            "English-German image captions, 29,000 / 1,014 / 1,000 pairs (Elliott et al. 2016): raw, and in tok/ lower-cased and tokenised",
            "none stated for the text; treat it as for non-commercial research",
            "https://github.com/multi30k/dataset",
            [
                Gzip("train.en", 568_929, 1_801_238, "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6"),
                Gzip("train.de", 637_044, 2_110_398, "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72"),
                Gzip("val.en", 21_650, 63_297, "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227"),
                Gzip("val.de", 24_681, 75_981, "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660"),
                Gzip("test_2016_flickr.en", 21_077, 62_076, "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182"),
                Gzip("test_2016_flickr.de", 22_890, 70_649, "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16"),
                Tokenized("train.lc.norm.tok.en", 1_837_696, "08925f8e0572bcd5a006702fc5fe20e2d77c6917d4eebd576fc20de6693c2119"),
                Tokenized("train.lc.norm.tok.de", 2_150_008, "cb5a23529b65ec2061f1dc446192a9c37382b63cc75f81a0be59d34894b3a505"),
                Tokenized("val.lc.norm.tok.en", 64_608, "46573ce391ae227f1c72f873392436a20ef18e0a6d518098cfbd70b77c8572ec"),
                Tokenized("val.lc.norm.tok.de", 77_273, "97232bd273eceb7207f689527386a97e4be2616b18ada47576bdaf96c8ae1f00"),
                Tokenized("test_2016_flickr.lc.norm.tok.en", 63_307, "5b7f32627cf99eced828311b955dae9800bb52bc8b91cf8b6526829e605b29d2"),
                Tokenized("test_2016_flickr.lc.norm.tok.de", 71_917, "c6a33d39d48f9f510de147651316cd9d918e09ad0219df734a2f16b6baccacc4"),
            ]);

        static DataFile Gzip(string name, long packed, long bytes, string checksum)
            => new($"multi30k/{name}", bytes, checksum, new($"{Raw}/{At}/raw/{name}.gz", DataPacking.Gzip, packed));

        static DataFile Tokenized(string name, long bytes, string checksum) => Plain("multi30k/tok", $"{At}/tok", name, bytes, checksum);
    }

    private static DataSet Enja()
    {
        const string At = "odashi/small_parallel_enja/312408a11c5fbcbc09443bebb18121f7efdcd61e";
        return new(
            "enja",
            "English-Japanese, 50,000 / 500 / 500 short tokenised sentences of the Tanaka corpus, English lower-cased",
            "none stated (extracted from the Tanaka corpus)",
            "https://github.com/odashi/small_parallel_enja",
            [
                Of("train.en", 1_701_356, "148b05dcd28638fe20ee84f2b1127001c80982be352007dda241fb759adadc76"),
                Of("train.ja", 2_784_447, "fc81a1434349ec98a449d7ae9cd2530057f689637684ecfed3501ea6a8a07ecc"),
                Of("dev.en", 17_054, "04a2673449770657fd5e3b963cb856be3130923212b6db8ac7eaeef18f06c041"),
                Of("dev.ja", 27_781, "cd534f56b8639dc130f86a365e5ec0aa70042000bdd740a622fbbf8b6be4acca"),
                Of("test.en", 17_301, "45edb380749ec2b49cca7618fc5a7595fc9f791180672ba466b90c873a4aa8bf"),
                Of("test.ja", 27_793, "d37dc460a81b064e4106c8913eb11fa300da05cf3f58a7a5bbfec7e20947ddef"),
            ]);

        static DataFile Of(string name, long bytes, string checksum) => Plain("enja", At, name, bytes, checksum);
    }

    private static DataSet Tatoeba()
    {
        const string At = "facebookresearch/LASER/74bc6ae7ffb7cba670fe0f428d0ede9f666fb821/data/tatoeba/v1";
        return new(
            "tatoeba",
            "1,000 everyday sentences to test with for each of eight languages with English (Artetxe and Schwenk 2019)",
            "CC BY 2.0 FR, as Tatoeba",
            "https://github.com/facebookresearch/LASER/tree/main/data/tatoeba/v1",
            [
                Of("tatoeba.deu-eng.deu", 57_121, "edfa6f75a42554df388f45891735d5e4214158a99def4b73b5908af4a3054551"),
                Of("tatoeba.deu-eng.eng", 48_446, "eb9cc83a42f2c4b22f310d05311207e41abb56c2a084666cac3ee0f84d2d0b84"),
                Of("tatoeba.fra-eng.fra", 43_727, "644172ff9642fefa9e41c29b7d6f44196518e84350dc44d4992e943c0cca92b6"),
                Of("tatoeba.fra-eng.eng", 36_291, "5634220f8a26a9a23b84753a9aec0b0832e6bdaa9da3f83e0bd84c928c3f46e3"),
                Of("tatoeba.spa-eng.spa", 37_490, "f9628cea40481e8251f0999718bd893cff0f261752f5e526b3bc20284e2ca018"),
                Of("tatoeba.spa-eng.eng", 34_776, "89e4470f4572040b1ca94b3edad97dcd8bd2f0141f072e12933b8659dadf917d"),
                Of("tatoeba.ita-eng.ita", 34_237, "9b3f369d0ed92273b46dd3b983721636e3d15024ce7125f5103229249c386d26"),
                Of("tatoeba.ita-eng.eng", 31_596, "738bf8f981e42d285f4f08bc09238782d285b02050e6e95287aa4e998bb7b24b"),
                Of("tatoeba.nld-eng.nld", 37_866, "d564d4ce1c621ccaefdbe9f5cb08eacccc7bf2a0b58666303e84ca9c7973bdb7"),
                Of("tatoeba.nld-eng.eng", 35_397, "3b8836749df573a53235b85ed6771f31bf2de428f520d2d6a1dd94b61b4ef057"),
                Of("tatoeba.rus-eng.rus", 58_822, "446ff2cae66053c2277d9735b2c2df6b786cae258385f7ade7bed68d8835c6a0"),
                Of("tatoeba.rus-eng.eng", 33_650, "7b26f52d6085b7c4944d6f5f6f5b6e1932085b42112f1444db515ce59e878fb8"),
                Of("tatoeba.jpn-eng.jpn", 53_844, "56040bd6949170a631039d9f8f4c6440db8761b0065c9686feba55c99a320d46"),
                Of("tatoeba.jpn-eng.eng", 39_239, "b42129b34e1bf225ccc25fc00e532a6113af98adbc6605b93021bd8aadeb68b6"),
                Of("tatoeba.cmn-eng.cmn", 33_410, "965d033966fcd186c89741ad49ab4b0a0b2bbd33e02666635ff3b2be23c1ac1f"),
                Of("tatoeba.cmn-eng.eng", 35_521, "29ba36232488f5806aceccac57c59c5e750ddd08edb40eef417e3ada9ff9a239"),
            ]);

        static DataFile Of(string name, long bytes, string checksum) => Plain("tatoeba", At, name, bytes, checksum);
    }

    private static DataSet WikiText2()
    {
        const string At = "pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2";
        return new(
            "wikitext-2",
            "Wikipedia articles for language models, 2,088,628 / 217,646 / 245,569 words and line ends (Merity et al. 2016)",
            "CC BY-SA 3.0",
            "https://github.com/pytorch/examples/tree/main/word_language_model",
            [
                // The commit's own checksum of the file, its git blob.
                Of("train.txt", 10_797_148, "2d84b35af79e411d73ea7cae83c73964c6ac83b4"),
                Of("valid.txt", 1_121_681, "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8"),
                Of("test.txt", 1_256_449, "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0"),
            ]);

        static DataFile Of(string name, long bytes, string checksum) => Plain("wikitext-2", At, name, bytes, checksum);
    }

    private static DataSet TinyShakespeare()
    {
        const long Whole = 1_115_394, Train = 1_003_854;
        var source = new DataSource($"{Raw}/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt", DataPacking.Runs, Whole);
        return new(
            "tinyshakespeare",
            "40,000 lines of Shakespeare for language models of characters; train.txt is the first nine tenths of its bytes, valid.txt the rest",
            "public domain",
            "https://github.com/karpathy/char-rnn",
            [
                Of("input.txt", 0, Whole, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),
                Of("train.txt", 0, Train, "a9e24e23a1ec77744dad26844bfd5a09b6e041954e1eef0000e7f24cba6db735"),
                Of("valid.txt", Train, Whole - Train, "c54f3753a4e6e3c3d1759212815a7caf826e68a33021b25312984400bed40a1f"),
            ]);

        DataFile Of(string name, long start, long bytes, string checksum) => new($"tinyshakespeare/{name}", bytes, checksum, source, Start: start);
    }

    private static DataSet G2P()
    {
        const string At = "OpenNMT/OpenNMT-py/97111d97551c24857076a4102eabdb468b35cff4/data/morph";
        return new(
            "g2p",
            "Words to pronunciations, 9,000 / 196, characters separated by blanks: trains in minutes on a processor",
            "MIT, as its repository",
            "https://github.com/OpenNMT/OpenNMT-py",
            [
                Of("src.train", 182_960, "8632886b5e2f81d42d9cb040270e253ef4d6821256df3d7e21f20d1dc1ab26f6"),
                Of("tgt.train", 157_004, "bab882bbce6c8eb954981795d01778d7c0e8e60c954271829d948e6caa627d09"),
                Of("src.valid", 3_898, "a34df993743c0a784f6082227123adc08334599afc5b1effc5a45d327bbfff13"),
                Of("tgt.valid", 3_406, "3206c5af3fbb7f2006df9aeb73fa726ae227000f2d77c5cb94d039bec767e6c6"),
            ]);

        static DataFile Of(string name, long bytes, string checksum) => Plain("g2p", At, name, bytes, checksum);
    }

    private static DataSet Jfleg()
    {
        const string At = "keisks/jfleg/ee06ff806a208aba815ac45313f4e750a48330a5";
        return new(
            "jfleg",
            "English grammatical error correction, 754 / 747 sentences to develop and test with, four references each (Napoles et al. 2017)",
            "CC BY-NC-SA 4.0",
            "https://github.com/keisks/jfleg",
            [
                Of("dev", "dev.src", 72_726, "4a0e8b86d18a1058460ff0a592dac1ba68986d135256efbd27e997ac43f295f8"),
                Of("dev", "dev.spellchecked.src", 72_007, "640be7de18ba338d411d55b6e6db2053db8fa165ba8536b047a6b5381361de97"),
                Of("dev", "dev.ref0", 73_216, "adea6287c6e2240b7777e63cd56f8e228e742bbfb42c5152bc0bd2bc91f4e53e"),
                Of("dev", "dev.ref1", 73_129, "d40d56ec7468ddab03fdcca97065ab3f9d391d749dbc7097b7c777a19ce4242e"),
                Of("dev", "dev.ref2", 73_394, "b070691d633e0c4143d96ba21299ae71cb126086517d2970df47420842067793"),
                Of("dev", "dev.ref3", 73_164, "9187fd834693fa77d07957991282d32d61ff84a207c25cbfab318c871bacdbc4"),
                Of("EACL_exp/m2converter", "dev.ref.m2", 602_433, "90897f24336a0952c89ea4d135b6e1d9050aa9e36a8949fb76201d2d5493a109"),
                Of("test", "test.src", 72_684, "893db119162487aa7f956b65978453576919e6797cd6c1955f93b7a8b9f4bbd8"),
                Of("test", "test.spellchecked.src", 72_677, "a51aa4f3ba80741ed85353ee185339daae04084c29f5ba3a6e89d96d4fe3dbe6"),
                Of("test", "test.ref0", 73_090, "875953280a3ea1dea2827337b1778c0105f0c0aa79f2517a6e0e42db5e5e170c"),
                Of("test", "test.ref1", 73_325, "190d3398f2765f54a39b5489d1e96c483412a656086c731f8712ad0591087d80"),
                Of("test", "test.ref2", 73_018, "0e3c6abe934ccd16c9dffb2fd889d6f55afc3ad13a63c1e148c720bb4e99046b"),
                Of("test", "test.ref3", 73_365, "19f49de6eff813b26505ecf756c20dc301aeb80696696b01ca950298f6e58441"),
                Of("EACL_exp/m2converter", "test.ref.m2", 574_426, "a5c78130a666780076e186e5b86bf1854c744c9d59aa051361d67a0b96fd7150"),
            ]);

        static DataFile Of(string folder, string name, long bytes, string checksum) => Plain("jfleg", $"{At}/{folder}", name, bytes, checksum);
    }

    private static DataSet UaGec()
    {
        const string Train = "data/gec-only/train", Test = "data/gec-only/test";
        const int Learned = 30_000;

        // One file for each document: the archive of the commit, and their sentences one after the other. The server makes the archive when it is asked for,
        // so its own bytes may change; what is taken out of it may not.
        var archive = new DataSource("https://github.com/grammarly/ua-gec/archive/4757f72f192c4a41e4c8fb1d9690a948f87cf6d6.tar.gz", DataPacking.TarGzip);
        return new(
            "ua-gec",
            "Ukrainian grammatical error correction, 31,037 / 2,696 sentences (Syvokon et al. 2023, gec-only); tgt2 is the test's second annotator",
            "CC BY 4.0",
            "https://github.com/grammarly/ua-gec",
            [
                Of("train.src", 4_336_159, "b2ec4bd842764f88aa37343868742d72a9ea35d5d6df1ed4ff57a959f7325891", Train, "source-sentences", ".src.txt"),
                Of("train.tgt", 4_354_833, "b7a41c3a4e456676d72e6c49923bb215c52b65fe79e285783faa44399ac382e3", Train, "target-sentences", ".a1.txt"),
                Of("test.src", 426_714, "70cfa5e84670a7af2e1031af3afc13e6e5a194e00a8552dde79fbc4e8e52584d", Test, "source-sentences", ".src.txt"),
                Of("test.tgt", 428_055, "9880786ab439c3b529d38878f3cfb46c4206aedeec6cec1622b0a6d819c5328d", Test, "target-sentences", ".a1.txt"),
                Of("test.tgt2", 428_213, "5aeeecc641b8584794a2b7f3e46b36b9dfc6b07f48c490a5aec9d60bc40d27e9", Test, "target-sentences", ".a2.txt"),
            ])
        {
            // The set has nothing to validate with: the last sentences of the training part are kept from the learner.
            Made = [First("src"), First("tgt"), Last("src"), Last("tgt")],
        };

        static MadeText First(string side) => new($"ua-gec/train-first.{side}", $"ua-gec/train.{side}", TextPart.Lines, Count: Learned);

        static MadeText Last(string side) => new($"ua-gec/valid.{side}", $"ua-gec/train.{side}", TextPart.Lines, Start: Learned);

        DataFile Of(string name, long bytes, string checksum, string split, string folder, string suffix)
            => new($"ua-gec/{name}", bytes, checksum, archive, new($"{split}/{folder}/", suffix));
    }

    private static DataSet SciTldr()
    {
        const string At = "allenai/scitldr/5ccad9c00a60ad75c9e04abf7f27d0f53f983b20/SciTLDR-Data/SciTLDR-A";
        return new(
            "scitldr",
            "Abstracts of papers with summaries of one sentence, 1,992 / 619 / 618, lines of JSON (Cachola et al. 2020)",
            "Apache-2.0",
            "https://github.com/allenai/scitldr",
            [
                Of("train.jsonl", 3_155_015, "b222771d387be585cfdf5ae957b36757138415a352e0a3e3b23f73f87c3b1119"),
                Of("dev.jsonl", 1_124_865, "3191fa98ccc09521332b7a1cd63b1930be4e8df125a235ccd31e40329709525e"),
                Of("test.jsonl", 1_204_107, "fb42dd6cd4f4a1928ae8a01a189456fbfe994a07e938bd49f68653933f6503c9"),
            ])
        {
            Made = [Abstract("train"), Summaries("train"), Abstract("dev"), Summaries("dev"), Abstract("test"), Summaries("test")],
        };

        static MadeText Abstract(string split) => new($"scitldr/{split}.abstract", $"scitldr/{split}.jsonl", TextPart.Joined, "source");

        static MadeText Summaries(string split) => new($"scitldr/{split}.tldr", $"scitldr/{split}.jsonl", TextPart.Numbered, "target");

        static DataFile Of(string name, long bytes, string checksum) => Plain("scitldr", At, name, bytes, checksum);
    }

    private static DataFile Plain(string folder, string at, string name, long bytes, string checksum)
        => new($"{folder}/{name}", bytes, checksum, new($"{Raw}/{at}/{name}", Bytes: bytes));
}
