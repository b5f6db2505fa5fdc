namespace Ork.Protocol.Tests;

/// <summary>What is drawn from chance: pauses that double up to their cap, and ids in order of time.</summary>
public sealed class EntropyTests
{
    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 200)]
    [InlineData(2, 400)]
    [InlineData(5, 3_200)]
    [InlineData(6, 5_000)]
    [InlineData(31, 5_000)]
    [InlineData(32, 5_000)]
    [InlineData(1_000, 5_000)]
    public void A_pause_is_drawn_from_all_up_to_a_ceiling_that_doubles_with_each_attempt(int attempt, long ceilingMs)
    {
        Assert.Equal(ceilingMs, new Fixed((ulong)ceilingMs).FullJitterMs(attempt, 100, 5_000));
        Assert.Equal(0, new Fixed((ulong)ceilingMs + 1).FullJitterMs(attempt, 100, 5_000));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(10, 9)]
    public void A_draw_is_below_its_limit(long limit, long most) => Assert.Equal(most, new Fixed(9_999_999_999_999_999_999).Below(limit));

    [Fact]
    public void An_id_is_a_uuid_of_version_7_and_the_later_the_higher()
    {
        var ids = Enumerable.Range(0, 50).Select(static ms => new Fixed(ulong.MaxValue >> ms).NextId(1_700_000_000_000 + ms)).ToArray();
        Assert.All(ids, static id => Assert.Equal((7, 8), (id.Version, id.Variant & 0xC)));
        Assert.Equal(ids, ids.OrderBy(static id => id.ToString(), StringComparer.Ordinal));
        Assert.StartsWith("018bcfe5-6800-7", new Fixed(0).NextId(1_700_000_000_000).ToString(), StringComparison.Ordinal);
    }

    private sealed class Fixed(ulong bits) : IEntropy
    {
        public ulong NextBits() => bits;
    }
}
