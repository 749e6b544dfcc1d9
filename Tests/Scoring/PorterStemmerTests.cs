using CudaSeq.Models;

namespace CudaSeq.Tests;

/// <summary>Stems as NLTK 3.8 has them, whose stemmer rouge_score uses.</summary>
public sealed class PorterStemmerTests
{
    [Theory]
    [InlineData("caresses:caress ponies:poni ties:tie dies:die caress:caress cats:cat bees:bee mess:mess y2ks:y2k 1990s:1990")]
    [InlineData("skies:sky dying:die news:news innings:inning exceed:exceed proceeding:proceed")]
    [InlineData("feed:feed agreed:agre plastered:plaster bled:bled motoring:motor sing:sing died:die spied:spi tried:tri toyed:toy eying:eye")]
    [InlineData("conflated:conflat troubled:troubl sized:size hopping:hop tanned:tan falling:fall hissing:hiss fizzed:fizz failing:fail filing:file")]
    [InlineData("happy:happi enjoy:enjoy sky:sky spy:spi day:day syzygy:syzygi yyyying:yyyi")]
    [InlineData("relational:relat conditional:condit rational:ration valency:valenc hesitancy:hesit digitizer:digit conformably:conform radically:radic")]
    [InlineData("differently:differ vilely:vile analogously:analog vietnamization:vietnam predication:predic operator:oper feudalism:feudal decisiveness:decis")]
    [InlineData("hopefulness:hope callousness:callous formality:formal sensitivity:sensit sensibility:sensibl geology:geolog theology:theolog carefully:care")]
    [InlineData("generically:gener nationally:nation abli:abli ousness:ous triplicate:triplic formative:form formalize:formal electricity:electr goodness:good")]
    [InlineData("revival:reviv allowance:allow inference:infer airliner:airlin gyroscopic:gyroscop adjustable:adjust defensible:defens irritant:irrit")]
    [InlineData("replacement:replac adjustment:adjust dependent:depend adoption:adopt homologous:homolog communism:commun activate:activ angularity:angular")]
    [InlineData("effective:effect bowdlerize:bowdler ion:ion lion:lion probate:probat rate:rate cease:ceas controlling:control roll:roll")]
    [InlineData("a:a is:is as:as s:s")]
    public void StemsAsNltkDoes(string pairs)
        => Assert.All(pairs.Split(' ').Select(pair => pair.Split(':')), pair => Assert.Equal(pair[1], PorterStemmer.Stem(pair[0])));
}
