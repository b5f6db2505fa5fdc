using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Text;
using OrkSim;

namespace Ork.Defects;

/// <summary>
/// Defects that nobody chose: a statement left out, a condition turned round, a bound moved by one. Each is a <see cref="Defect"/> like those of the catalogue that any
/// invariant may catch. What is drawn depends on the seed and the source alone.
/// </summary>
public static class Mutants
{
    // What keeps a public entry from null says nothing of the product.
    private const string Guard = "ThrowIf";
    private const int MostContext = 40;

    /// <summary>Draws mutants.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folders">Whose source files to change, as paths in the repository.</param>
    /// <param name="count">How many, at most.</param>
    /// <param name="seed">Which: the same for the same source.</param>
    /// <exception cref="DefectException">There is no such folder or file.</exception>
    public static IReadOnlyList<Defect> Draw(string root, IReadOnlyList<string> folders, int count, long seed)
    {
        ArgumentNullException.ThrowIfNull(folders);
        return [.. folders.SelectMany(folder => FilesOf(root, folder)).Distinct(StringComparer.Ordinal)
            .SelectMany(file => ChangesOf(File.ReadAllText(file)).Select((change, number) => ToDefect(root, file, change, number + 1)))
            .OrderBy(mutant => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(mutant.Text), seed)).Take(count)];
    }

    /// <summary>One change of a text.</summary>
    /// <param name="Span">What is replaced.</param>
    /// <param name="By">By what.</param>
    /// <param name="What">What kind of change it is.</param>
    public readonly record struct Change(TextSpan Span, string By, string What);

    /// <summary>Every change that a source text has room for, in the order of the text.</summary>
    public static IEnumerable<Change> ChangesOf(string text) => CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest)).GetRoot()
        .DescendantNodes(static node => node is not AttributeListSyntax).SelectMany(static node => Of(node));

    private static IEnumerable<Change> Of(SyntaxNode node) => node switch
    {
        ExpressionStatementSyntax statement when !IsGuard(statement) => [new Change(statement.Span, ";", "statement left out")],
        IfStatementSyntax choice => [new Change(choice.Condition.Span, $"!({choice.Condition})", "condition turned round"), .. LeftOut(choice)],
        ConditionalExpressionSyntax choice => [new Change(choice.Condition.Span, $"!({choice.Condition})", "condition turned round")],
        BinaryExpressionSyntax binary => Of(binary),
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.TrueLiteralExpression) => [new Change(literal.Span, "false", "true made false")],
        LiteralExpressionSyntax literal when literal.IsKind(SyntaxKind.FalseLiteralExpression) => [new Change(literal.Span, "true", "false made true")],
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression, Parent: not ForStatementSyntax } more => [new Change(more.OperatorToken.Span, "--", "counted down")],
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostDecrementExpression, Parent: not ForStatementSyntax } less => [new Change(less.OperatorToken.Span, "++", "counted up")],
        MemberAccessExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "Math" }, Name.Identifier.Text: "Min" or "Max" } bound =>
            [new Change(bound.Name.Span, bound.Name.Identifier.Text == "Min" ? "Max" : "Min", "the other of two bounds")],
        _ => [],
    };

    private static IEnumerable<Change> LeftOut(IfStatementSyntax choice) =>
        choice.Else is null && choice.Parent is BlockSyntax ? [new Change(choice.Span, ";", "what happens on a condition left out")] : [];

    private static IEnumerable<Change> Of(BinaryExpressionSyntax binary)
    {
        if (binary.Kind() is SyntaxKind.LogicalAndExpression or SyntaxKind.LogicalOrExpression)
        {
            yield return new Change(binary.Span, $"({binary.Left})", "second half of a condition left out");
            yield return new Change(binary.Span, $"({binary.Right})", "first half of a condition left out");
        }
        else if (binary.Kind() == SyntaxKind.CoalesceExpression)
        {
            yield return new Change(binary.Span, $"({binary.Right})", "what is there passed over");
        }
        else if (OtherThan(binary.Kind()) is { } other)
        {
            yield return new Change(binary.OperatorToken.Span, other, "operator exchanged");
        }
    }

    private static string? OtherThan(SyntaxKind kind) => kind switch
    {
        SyntaxKind.LessThanExpression => "<=",
        SyntaxKind.LessThanOrEqualExpression => "<",
        SyntaxKind.GreaterThanExpression => ">=",
        SyntaxKind.GreaterThanOrEqualExpression => ">",
        SyntaxKind.AddExpression => "-",
        SyntaxKind.SubtractExpression => "+",
        SyntaxKind.MultiplyExpression => "/",
        _ => null,
    };

    private static bool IsGuard(ExpressionStatementSyntax statement) =>
        statement.Expression is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } && member.Name.Identifier.Text.StartsWith(Guard, StringComparison.Ordinal);

    private static IEnumerable<string> FilesOf(string root, string folder)
    {
        var path = Path.Combine(root, folder);
        if (File.Exists(path)) return [path];
        if (!Directory.Exists(path)) throw new DefectException($"There is no {path}.");
        return Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories).Where(file => !Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj"));
    }

    private static Defect ToDefect(string root, string file, Change change, int number)
    {
        var text = File.ReadAllText(file);
        var line = text.AsSpan(0, change.Span.Start).Count('\n');
        var lines = text.Split('\n');
        var changed = (text[..change.Span.Start] + change.By + text[change.Span.End..]).Split('\n');
        var last = line + text.AsSpan(change.Span.Start, change.Span.Length).Count('\n');
        var (first, end) = Alone(lines, line, last);
        var path = Path.GetRelativePath(root, file).Replace(Path.DirectorySeparatorChar, '/');
        var name = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileNameWithoutExtension(file)}.{line + 1}.{number}");
        string[] diff =
        [
            $"Defect: {name}", $"Bug: {change.What}: {lines[line].Trim()}", "Invariant: ", "Gears: swarm", "",
            $"--- a/{path}", $"+++ b/{path}", string.Create(CultureInfo.InvariantCulture, $"@@ -{first + 1},{end - first} +{first + 1},{end - first + changed.Length - lines.Length} @@"),
            .. lines[first..line].Select(static kept => " " + kept),
            .. lines[line..(last + 1)].Select(static gone => "-" + gone),
            .. changed[line..(last + 1 + changed.Length - lines.Length)].Select(static made => "+" + made),
            .. lines[(last + 1)..end].Select(static kept => " " + kept),
            "",
        ];
        var patch = string.Join('\n', diff);
        return new Defect(name, $"{change.What}: {lines[line].Trim()}", [], [Gear.Swarm], null, patch, SourcePatch.Read(name, patch));
    }

    /// <summary>As many lines around those that change as are needed for them to stand nowhere else in the file.</summary>
    private static (int First, int End) Alone(string[] lines, int line, int last)
    {
        for (var context = 2; ; context++)
        {
            var (first, end) = (Math.Max(0, line - context), Math.Min(lines.Length, last + 1 + context));
            var places = Enumerable.Range(0, lines.Length - (end - first) + 1).Count(at => lines.AsSpan(at, end - first).SequenceEqual(lines.AsSpan(first, end - first)));
            if (places == 1 || context == MostContext) return (first, end);
        }
    }
}
