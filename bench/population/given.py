"""Given names of several countries, the most frequent first."""

from typing import Final

GIVEN: Final[dict[str, str]] = {
    "de": """Thomas Michael Andreas Peter Stefan Maria Anna Christian Sabine Ursula Klaus Martin Wolfgang Petra Monika
        Jürgen Frank Hans Julia Susanne Daniel Markus Claudia Andrea Karin Birgit Alexander Sebastian Jan Uwe Werner
        Heike Matthias Helga Katharina Christina Nicole Stefanie Tobias Florian Günter Heinz Ralf Jörg Angelika
        Gabriele Renate Lena Laura Lukas Felix Jonas Leon Paul Maximilian Sarah Lisa Sophie Johanna Philipp Dirk
        Oliver Anja Silke Katrin Jens Kai Bernd Dieter Manfred Gerhard Rolf Horst Helmut Ingrid Brigitte Elke Ute
        Melanie Sandra Tanja Simone Anke Marion Marie Emma Mia Hannah Ben Finn Noah Elias Luis Moritz Anton Friedrich
        Karl Greta Ida Frieda Käthe""",
    "tr": """Mehmet Mustafa Fatma Ahmet Ali Ayşe Hüseyin Hasan Emine Hatice Zeynep İbrahim Osman Yusuf Murat Elif Ömer
        Ramazan Meryem Halil Süleyman Şerife Zehra Sultan Abdullah Mahmut Recep Salih Fatih Emre Hakan Kadir Gökhan
        Özge Çağla Burak Serkan Esra Büşra Merve Kübra Hülya Gülay Yasemin Aylin Deniz Can Cem Onur Selin Tuğba""",
    "pl": """Anna Piotr Krzysztof Maria Andrzej Katarzyna Małgorzata Tomasz Jan Agnieszka Paweł Barbara Marcin Michał
        Ewa Krystyna Marek Grzegorz Elżbieta Magdalena Józef Łukasz Adam Joanna Zbigniew Jerzy Tadeusz Zofia Mateusz
        Dariusz Aleksandra Mariusz Wojciech Ryszard Jakub Kamil Monika Jolanta Dorota Henryk Robert Rafał Beata Danuta
        Sławomir Jacek Maciej Szymon Bartosz Karolina Natalia Wanda Stanisław Kazimierz Bożena Grażyna""",
    "en": """James John Robert Mary Michael William David Jennifer Patricia Linda Elizabeth Richard Barbara Joseph
        Susan Thomas Charles Christopher Jessica Sarah Daniel Matthew Karen Nancy Lisa Anthony Mark Donald Steven Paul
        Andrew Joshua Margaret Sandra Ashley Emily Kenneth Kevin Brian George Edward Ronald Timothy Jason Jeffrey Ryan
        Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Frank Katherine
        Deborah Rebecca Stephanie Laura Sharon Cynthia Kathleen Amy Angela Shirley Emma Olivia Catherine Rachel Oliver
        Jack Harry Callum""",
    "fr": """Jean Marie Pierre Michel Philippe Jacques Nathalie Isabelle Alain Patrick Catherine Sylvie Nicolas
        Françoise Christophe Laurent Monique Bernard Stéphane Frédéric Martine Julien Valérie Thierry Olivier Éric
        David Sandrine Véronique Céline Christine Thomas Chantal Sébastien Camille Léa Élodie Chloé Aurélie François
        Gérard Daniel Dominique Hélène Jérôme Benoît Anaïs Mathieu Jean-Pierre Jean-Claude Anne-Marie Marie-Claude
        Hugo Lucas Théo""",
    "es": """María José Antonio Carmen Manuel Juan Francisco Josefa Isabel Ana David Javier Laura Daniel Carlos Marta
        Jesús Cristina Alejandro Miguel Rafael Pedro Lucía Pablo Ángel Sara Pilar Sergio Elena Fernando Jorge Luis
        Alberto Raquel Álvaro Adrián Diego Rosa Dolores Teresa Iván Rubén Óscar Ramón Paula Beatriz Rocío Nuria Irene
        Enrique Vicente José-Luis María-José Juan-Carlos Ignacio Concepción Mercedes""",
    "it": """Giuseppe Maria Antonio Anna Giovanni Francesco Mario Luigi Angela Rosa Andrea Marco Giovanna Teresa
        Vincenzo Salvatore Francesca Alessandro Pietro Lucia Roberto Carmela Stefano Domenico Carlo Caterina Paolo
        Luca Laura Michele Giulia Chiara Franco Giorgio Matteo Sara Elena Paola Raffaele Davide Federica Simone
        Valentina Riccardo Silvia Lorenzo Gabriele Alessia Niccolò Beatrice""",
    "nl": """Johannes Maria Jan Cornelis Hendrik Willem Anna Pieter Johanna Elisabeth Jacobus Gerrit Dirk Daan Sanne
        Sem Lotte Thijs Bram Femke Jeroen Marieke Bas Anouk Wouter Ruben Eva Lieke Maarten Sander Joost Tim Lars Niels
        Esther Saskia Mirjam Ingrid Kees Klaas Sjoerd Floor Fleur Roos Merel Tessa Marloes Annemarie""",
    "se": """Maria Erik Anna Lars Karl Anders Margareta Johan Elisabeth Per Eva Nils Kristina Carl Birgitta Mikael Jan
        Karin Marie Hans Lennart Olof Peter Gunnar Sven Ingrid Fredrik Daniel Bengt Bo Christina Marianne Gustav Åke
        Göran Linnéa Björn Sofia Kerstin Lena Helena Märta Emma Johanna Alexander Oskar Axel Elsa Astrid Sören Øystein
        Bjørn Kåre""",
    "vn": """Anh Linh Hương Hoa Minh Hùng Dũng Tuấn Thảo Lan Phương Hải Nam Long Trang Thu Hà Mai Nga Hồng Đức Quang Sơn
        Thành Trung Tùng Vân Yến Bình Châu""",
    "ar": """Mohammed Ahmed Ali Fatima Mahmoud Omar Hassan Khaled Ibrahim Youssef Aisha Mariam Mustafa Hussein Abdullah
        Abdulrahman Salim Karim Layla Noor Samira Nadia Rania Tariq Walid Yasmin Zainab Hamza Bilal Amina Hana Jamal
        Khadija Rashid Said""",
}
"""By country; the words apart from each other by spaces."""
