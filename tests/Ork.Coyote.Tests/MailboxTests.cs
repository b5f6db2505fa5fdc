using Ork.Kernel;
using Ork.Protocol;
using static Microsoft.Coyote.Specifications.Specification;

namespace Ork.Coyote.Tests;

public sealed class MailboxTests
{
    [Fact]
    public void A_full_mailbox_holds_its_senders_back_and_loses_nothing() => Exploration.Explore(
        async () =>
        {
            var mailbox = new Mailbox<int>(limit: 1);
            async Task SendAsync(int first)
            {
                for (var i = 0; i < 3; i++) Assert(await mailbox.PostAsync(first + i), "an open mailbox refused");
            }

            var senders = new[] { Task.Run(() => SendAsync(0)), Task.Run(() => SendAsync(10)) };
            var taken = new List<int>();
            while (taken.Count < 6)
            {
                Assert(await mailbox.WaitAsync(), "closed");
                Assert(mailbox.Count <= 1, "over the limit");
                mailbox.Take(taken, 2);
            }

            await Task.WhenAll(senders);
            Assert(taken.Where(item => item < 10).SequenceEqual(new[] { 0, 1, 2 }), "one sender's items came out of order");
            Assert(taken.Where(item => item >= 10).SequenceEqual(new[] { 10, 11, 12 }), "the other sender's items came out of order");
        },
        400);

    [Fact]
    public void What_is_urgent_wakes_the_reader_and_is_not_lost() => Exploration.Explore(
        async () =>
        {
            var mailbox = new Mailbox<int>(limit: 2);
            async Task SendAsync()
            {
                for (var i = 0; i < 3; i++) Assert(await mailbox.PostAsync(i), "an open mailbox refused");
            }

            var tasks = new[] { Task.Run(SendAsync), Task.Run(() => mailbox.PostUrgent(-1)) };
            var (taken, urgent) = (new List<int>(), 0);
            while (taken.Count < 3 || urgent == 0)
            {
                Assert(await mailbox.WaitAsync(), "closed");
                if (mailbox.TryTakeUrgent(out var item)) urgent += item;
                mailbox.Take(taken, 2);
            }

            await Task.WhenAll(tasks);
            Assert(urgent == -1, "the urgent item came more than once");
            Assert(taken.SequenceEqual(new[] { 0, 1, 2 }), "the sender's items came out of order");
        },
        400);

    [Fact]
    public void Closing_lets_everybody_go_and_what_was_taken_in_is_taken_or_given_back() => Exploration.Explore(
        async () =>
        {
            var mailbox = new Mailbox<int>(limit: 2);
            var accepted = 0;
            async Task SendAsync()
            {
                for (var i = 0; i < 4; i++)
                {
                    if (await mailbox.PostAsync(i)) Interlocked.Increment(ref accepted);
                }
            }

            var taken = new List<int>();
            async Task ReadAsync()
            {
                while (await mailbox.WaitAsync()) mailbox.Take(taken, 1);
            }

            var tasks = new[] { Task.Run(SendAsync), Task.Run(SendAsync), Task.Run(ReadAsync) };
            await Task.Yield();
            var left = mailbox.Close();
            await Task.WhenAll(tasks);
            Assert(taken.Count + left.Count == accepted, $"{accepted} accepted, {taken.Count} taken, {left.Count} left");
        },
        400);

    [Fact]
    public void What_arrives_wakes_its_receiver() => Exploration.Explore(
        async () =>
        {
            var arrivals = new Arrivals<int>();
            var sender = Task.Run(() =>
            {
                for (var i = 0; i < 3; i++) arrivals.Offer(i);
                arrivals.Close();
            });
            var taken = new List<int>();
            while (await arrivals.WaitAsync())
            {
                if (arrivals.TryTake(out var item)) taken.Add(item);
            }

            await sender;
            Assert(taken.SequenceEqual(new[] { 0, 1, 2 }), string.Join(",", taken));
        },
        400);
}
