namespace Ork.Kernel.Tests;

/// <summary>How many are open of whom, and who has as many of what is left as is fair.</summary>
public sealed class QueueDepthTests
{
    [Theory]
    [InlineData(0, 10, 10, 1, false)]
    [InlineData(1, 9, 10, 1, true)]
    [InlineData(1, 8, 10, 1, false)]
    [InlineData(2, 8, 10, 1, true)]
    [InlineData(4, 8, 10, 2, true)]
    [InlineData(3, 8, 10, 2, false)]
    public void A_share_is_so_many_times_what_is_left_and_who_has_nothing_has_none(int own, int total, int limit, int fairShare, bool hasIt) =>
        Assert.Equal(hasIt, QueueDepth.HasItsShare(own, total, limit, fairShare));

    [Fact]
    public void Each_callers_own_are_counted_and_none_is_left_of_who_has_left()
    {
        var depth = new QueueDepth();
        foreach (var caller in new[] { "a", "a", "a", "b" }) depth.Add(caller);
        Assert.Equal((4, true, false), (depth.Total, depth.HasItsShare("a", 7, 1), depth.HasItsShare("b", 7, 1)));
        depth.Remove("a");
        Assert.Equal((3, false), (depth.Total, depth.HasItsShare("a", 7, 1)));
        depth.Remove("a");
        depth.Remove("a");
        Assert.Equal((1, false, true), (depth.Total, depth.HasItsShare("a", 1, 1), depth.HasItsShare("b", 2, 1)));
        depth.Add("a");
        Assert.True(depth.HasItsShare("a", 3, 1));
        Assert.False(depth.HasItsShare("a", 4, 1));
    }
}
