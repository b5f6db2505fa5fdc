using Microsoft.Playwright;

namespace OrkSim.Report.Tests;

/// <summary>report.html in a real browser, as a person uses it. Screenshots are left in TestResults.</summary>
public sealed class PageTests : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";

    private readonly string _directory = Directory.CreateTempSubdirectory("ork-report").FullName;
    private readonly List<string> _said = [];
    private readonly List<string> _asked = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        // Where tests must not be skipped, a missing browser is a failure.
        Assert.SkipUnless(File.Exists(Chromium) || Environment.GetEnvironmentVariable("CI") == "true", $"{Chromium} is not here: install Debian's package chromium.");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_violation_is_in_view_when_the_page_opens_and_says_what_was_violated_and_how_to_replay_it()
    {
        var (file, page) = await OpenAsync();
        Assert.Equal("X1 violated in told", await page.TextContentAsync("#headline"));
        Assert.Contains("is rebooted again", await page.TextContentAsync("#says"), StringComparison.Ordinal);
        Assert.Equal("ork sim replay told.run.json --events", await page.TextContentAsync("#replay"));
        Assert.True(await page.EvaluateAsync<bool>("orkReport.isInView(orkReport.violation)"));
        Assert.Equal(file.Events.Count, await page.EvaluateAsync<int>("orkReport.count"));
        Assert.Contains("VIOLATED X1", await page.TextContentAsync("#story"), StringComparison.Ordinal);
        await ShotAsync(page, "violation");
        await page.ClickAsync("#theme");
        await ShotAsync(page, "violation-other-theme");
    }

    [Fact]
    public async Task The_search_finds_a_command_and_the_arrow_goes_on_to_the_next_match()
    {
        var (file, page) = await OpenAsync();
        var command = file.Events.SelectMany(line => line.About ?? []).First(id => Guid.TryParse(id, out _));
        await page.FillAsync("#search", command);
        await page.WaitForFunctionAsync("document.getElementById('hits').textContent.includes('found')");
        var first = await page.EvaluateAsync<int>("orkReport.selected");
        Assert.Contains(command, file.Events[first].About!);
        await page.PressAsync("#search", "Enter");
        var second = await page.EvaluateAsync<int>("orkReport.selected");
        Assert.True(second > first && file.Events[second].About!.Contains(command), $"{first}, then {second}");
        await ShotAsync(page, "search");

        await page.FillAsync("#search", "no such thing");
        await page.WaitForFunctionAsync("document.getElementById('hits').textContent === '0 found'");
    }

    [Fact]
    public async Task A_click_on_a_frame_shows_its_envelope()
    {
        var (file, page) = await OpenAsync();
        var frame = file.Events.Select((line, index) => (line, index)).Last(one => one.line is { Kind: "FrameSent", Subject: "command.request" }).index;
        await page.EvaluateAsync("orkReport.select", frame);
        await page.EvaluateAsync("orkReport.select", 0);
        await page.EvaluateAsync("i => orkReport.isInView(i) || orkReport.select(i)", frame);
        var spot = await page.EvaluateAsync<Dictionary<string, double>>("i => orkReport.spotOf(i)", frame);
        var box = (await page.Locator("#timeline").BoundingBoxAsync())!;
        await page.Mouse.ClickAsync(box.X + (float)spot["x"], box.Y + (float)spot["y"]);
        Assert.Equal(frame, await page.EvaluateAsync<int>("orkReport.selected"));
        var envelope = await page.TextContentAsync("#envelope");
        Assert.Contains("\"action\": \"command.request\"", envelope, StringComparison.Ordinal);
        await ShotAsync(page, "envelope");
    }

    [Fact]
    public async Task The_slice_hides_what_did_not_happen_before_the_violation_and_says_how_many_remain()
    {
        var (file, page) = await OpenAsync();
        var reading = new RunReading(file);
        Assert.InRange(reading.BeforeCount, 2, file.Events.Count - 1);
        await page.CheckAsync("#routine");
        Assert.Equal(file.Events.Count, await page.EvaluateAsync<int>("orkReport.shown"));
        await page.CheckAsync("#slice");
        Assert.Equal(reading.BeforeCount, await page.EvaluateAsync<int>("orkReport.shown"));
        Assert.Contains($"{reading.BeforeCount:N0} happened before the violation", await page.TextContentAsync("#shown"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_can_be_done_with_the_keyboard()
    {
        var (_, page) = await OpenAsync();
        await page.Keyboard.PressAsync("Home");
        var first = await page.EvaluateAsync<int>("orkReport.selected");
        await page.Keyboard.PressAsync("ArrowRight");
        Assert.True(await page.EvaluateAsync<int>("orkReport.selected") > first);
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("v");
        Assert.Equal(await page.EvaluateAsync<int>("orkReport.violation"), await page.EvaluateAsync<int>("orkReport.selected"));
        await page.Keyboard.PressAsync("Enter");
        Assert.True(await page.IsVisibleAsync("#event"));
        Assert.Contains("Violated", await page.TextContentAsync("#event"), StringComparison.Ordinal);
        await page.Keyboard.PressAsync("/");
        Assert.Equal("search", await page.EvaluateAsync<string>("document.activeElement.id"));
    }

    [Fact]
    public async Task The_machines_show_the_path_of_what_the_violation_is_about()
    {
        var (_, page) = await OpenAsync();
        await page.ClickAsync("[data-tab=machines]");
        Assert.Equal(Coverage.Machines.Count, await page.Locator("#machines svg").CountAsync());
        Assert.True(await page.Locator("#machines path.met").CountAsync() > 0);
        Assert.Contains("Queued Assign Dispatched", await page.TextContentAsync("#machines"), StringComparison.Ordinal);
        await ShotAsync(page, "machines");
    }

    [Fact]
    public async Task Fifty_Workers_and_twenty_thousand_events_are_drawn_and_moved_through()
    {
        var watch = new WatchOptions { Trace = true, KeepChoices = true };
        SimWorld? world = null;
        var run = SwarmGear.RunConcrete(Runs.Large, 1, watch with { Prepare = made => world = made });
        var file = Runs.File(run, world!);
        Assert.True(file.Events.Count >= 20_000, $"{file.Events.Count} events");
        var (_, page) = await OpenAsync(file);
        await page.CheckAsync("#routine");
        Assert.Equal(file.Events.Count, await page.EvaluateAsync<int>("orkReport.shown"));
        await page.ClickAsync("#fit");
        var paintMs = await page.EvaluateAsync<double>("() => { const t = performance.now(); for (let i = 0; i < 20; i++) orkReport.paint(); return (performance.now() - t) / 20; }");
        TestContext.Current.TestOutputHelper!.WriteLine($"{file.Events.Count} events, all in view: {paintMs:F1} ms a frame");
        await ShotAsync(page, "large");
        await page.SelectOptionAsync("#axis", "time");
        for (var i = 0; i < 12; i++) await page.ClickAsync("#zoomIn");
        await ShotAsync(page, "large-near");
    }

    private async Task<(RunFile File, IPage Page)> OpenAsync(RunFile? file = null)
    {
        if (file is null)
        {
            var (run, world) = Runs.Violating();
            file = Runs.File(run, world);
        }

        var path = Path.Combine(_directory, "report.html");
        HtmlReport.Write(file, path, new HtmlReportOptions { RunFile = "told.run.json" });
        var page = await _browser!.NewPageAsync(new() { ViewportSize = new() { Width = 1500, Height = 950 } });
        page.Console += (_, message) => { if (message.Type is "error" or "warning") _said.Add(message.Text); };
        page.PageError += (_, error) => _said.Add(error);
        page.Request += (_, request) => { if (!request.Url.StartsWith("file://", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal)) _asked.Add(request.Url); };
        await page.GotoAsync("file://" + path);
        await page.WaitForFunctionAsync("window.orkReport !== undefined");
        return (file, page);
    }

    private async Task ShotAsync(IPage page, string name)
    {
        // Two frames: what was just asked for is drawn in the next.
        await page.EvaluateAsync("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
        await page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, "TestResults", $"report-{name}.png") });
        Assert.Equal([], _said);
        Assert.Equal([], _asked);
    }
}
