using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace Ork.Analyzers.CodeFixes;

/// <summary>
/// Fixes what can be fixed without a decision: the TimeProvider or IEntropy at hand in place of the machine's, ConfigureAwait removed, an array in place of bare
/// arguments, an object in place of a Lock.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(OrkCodeFixProvider))]
[Shared]
public sealed class OrkCodeFixProvider : CodeFixProvider
{
    /// <inheritdoc/>
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = [Rules.WallClock.Id, Rules.Randomness.Id, Rules.Escape.Id, Rules.Unmodelled.Id];

    /// <inheritdoc/>
    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    /// <inheritdoc/>
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        var model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        if (root is null || model is null) return;
        foreach (var diagnostic in context.Diagnostics)
        {
            var node = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
            if (Replacements.For(diagnostic.Id, node, model, context.CancellationToken) is not { } fix) continue;
            context.RegisterCodeFix(
                CodeAction.Create(fix.Title, _ => Task.FromResult(Apply(context.Document, root, fix)), equivalenceKey: diagnostic.Id + fix.Kind), diagnostic);
        }
    }

    private static Document Apply(Document document, SyntaxNode root, Replacement fix)
    {
        var changed = root.ReplaceNodes(fix.Nodes.Keys, (original, _) => fix.Nodes[original].WithTriviaFrom(original).WithAdditionalAnnotations(Formatter.Annotation));
        if (fix.Import is { } import && changed is CompilationUnitSyntax unit && !IsImported(root, import))
        {
            var directive = SyntaxFactory.UsingDirective(SyntaxFactory.ParseName(import)).NormalizeWhitespace().WithTrailingTrivia(SyntaxFactory.ElasticCarriageReturnLineFeed);
            changed = unit.AddUsings(directive);
        }

        return document.WithSyntaxRoot(changed);
    }

    private static bool IsImported(SyntaxNode root, string space) =>
        root.DescendantNodes().OfType<UsingDirectiveSyntax>().Any(directive => directive.Name?.ToString() == space)
        || root.DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
            .Any(declared => declared.Name.ToString() == space || declared.Name.ToString().StartsWith(space + ".", StringComparison.Ordinal));
}

/// <summary>What a fix replaces by what.</summary>
/// <param name="Kind">Fixes of one kind are applied together.</param>
/// <param name="Title">What it is called in the editor.</param>
/// <param name="Nodes">The nodes and what takes their places.</param>
/// <param name="Import">The namespace it needs, or null.</param>
internal sealed record Replacement(string Kind, string Title, IReadOnlyDictionary<SyntaxNode, SyntaxNode> Nodes, string? Import = null);
